//! What came to a receiver: pictures, each of which must be one of the camera's, octet for octet.

use std::fmt;

use crate::depacketizer::depacketize;
use crate::jpeg::Picture;
use crate::receiver::Datagram;
use crate::studio::Film;

pub struct Stream {
    /// Of the last picture.
    pub size: String,
    pub pictures: usize,
    pub identical: usize,
    pub lost: usize, // packets
    pub incomplete: usize,
    pub violations: Vec<String>,
}

impl Stream {
    pub fn of(datagrams: &[Datagram], films: &[Film]) -> Result<Self, String> {
        let reception = depacketize(datagrams);
        let originals = films
            .iter()
            .flat_map(|film| film.iter())
            .map(|file| Picture::parse(file))
            .collect::<Result<Vec<_>, _>>()?;
        let pictures = reception.pictures.iter();
        let size = pictures.clone().last();
        let size = size.map(|last| format!("{}x{}", last.picture.width, last.picture.height));
        Ok(Self {
            size: size.unwrap_or_default(),
            pictures: pictures.len(),
            identical: pictures
                .filter(|received| originals.contains(&received.picture))
                .count(),
            lost: reception.lost_packets,
            incomplete: reception.incomplete,
            violations: reception.violations,
        })
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "size={} pictures={} identical={} lost={} incomplete={} violations={}",
            self.size,
            self.pictures,
            self.identical,
            self.lost,
            self.incomplete,
            self.violations.len()
        )
    }
}
