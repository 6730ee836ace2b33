//! The comment that says whether an image is a field of an interlaced picture.
//! APP0 of Motion JPEG in AVI (OpenDML 1.02).

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
}
