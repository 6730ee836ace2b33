//! What comments say about the colours of a picture, because SOF does not.
//! JFIF (T.871), Adobe's APP14 (T.872 6.5.3).

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
