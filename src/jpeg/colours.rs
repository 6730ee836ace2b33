//! What comments say about the colours and fields of a picture, because SOF does not.
//! JFIF (T.871), Adobe's APP14 (T.872 6.5.3), APP0 of Motion JPEG in AVI (OpenDML 1.02).

/// Begins the APP0 of JFIF, whose colours are always Y, Cb, Cr.
pub(super) const JFIF: &[u8] = b"JFIF\0";
/// Component identifiers of pictures that are RGB and say so in no other way.
const RGB: [u8; 3] = *b"RGB";

/// Adobe's colour transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Adobe(u8);

impl Adobe {
    /// "Adobe", version, two sets of flags of 2 octets each, then the transform.
    pub fn parse(parameters: &[u8]) -> Option<Self> {
        let fields = parameters.strip_prefix(b"Adobe")?;
        fields.get(6).copied().map(Self)
    }
}

/// Whether three components with these identifiers are R, G, B, as decoders decide it.
pub(super) fn is_rgb(has_jfif: bool, adobe: Option<Adobe>, identifiers: [u8; 3]) -> bool {
    match adobe {
        _ if has_jfif => false,
        Some(Adobe(transform)) => transform == 0,
        None => identifiers == RGB,
    }
}

/// Which field of an interlaced picture an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Avi1 {
    /// No field: a whole picture.
    Whole,
    /// The field of this polarity, 1 or 2.
    Field(u8),
}

impl Avi1 {
    /// "AVI1", then the polarity.
    pub fn parse(parameters: &[u8]) -> Option<Self> {
        match parameters.strip_prefix(b"AVI1")?.first()? {
            &polarity @ (1 | 2) => Some(Self::Field(polarity)),
            _ => Some(Self::Whole),
        }
    }

    /// Whether both are the two fields of one picture.
    pub fn pairs_with(self, other: Self) -> bool {
        matches!((self, other), (Self::Field(one), Self::Field(two)) if one != two)
    }
}
