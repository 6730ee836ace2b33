//! What a receiver must be able to rebuild of a JPEG file: written independently, so that it can contradict framewire.
//! ITU T.81 annex B.

/// The parts of a baseline JPEG picture that travel over RTP.
#[derive(Clone, PartialEq)]
pub struct Picture {
    pub width: u16,
    pub height: u16,
    /// RFC 2435, 4.1: 0 is 4:2:2, 1 is 4:2:0.
    pub sampling: u8,
    pub restart_interval: Option<u16>,
    pub luma: [u8; 64],
    pub chroma: [u8; 64],
    /// From behind the SOS header through EOI.
    pub scan: Vec<u8>,
}

impl Picture {
    pub fn parse(file: &[u8]) -> Result<Self, String> {
        let mut tables = [None; 4];
        let mut frame = None;
        let mut restart_interval = None;
        let mut rest = file.strip_prefix(&[0xFF, 0xD8]).ok_or("no SOI")?;
        loop {
            let [0xFF, marker, high, low, ..] = *rest else {
                return Err("no marker where one was expected".into());
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = rest.get(4..length + 2).ok_or("a segment is cut short")?;
            rest = &rest[length + 2..];
            match marker {
                0xDB => quantization(segment, &mut tables).ok_or("DQT")?,
                0xC0 => frame = Some(*segment.as_array::<15>().ok_or("SOF0 of 3 components")?),
                0xDD => {
                    let interval = u16::from_be_bytes(*segment.as_array().ok_or("DRI")?);
                    restart_interval = Some(interval).filter(|&interval| interval > 0);
                }
                0xDA => break,
                _ => {}
            }
        }
        // Entropy-coded data stuffs every 0xFF, so the first EOI is the real one.
        let end = rest
            .windows(2)
            .position(|pair| pair == [0xFF, 0xD9])
            .ok_or("no EOI")?;
        let [_, h0, h1, w0, w1, 3, _, y, luma, _, 0x11, cb, _, 0x11, cr] =
            frame.ok_or("no SOF0")?
        else {
            return Err("SOF0 is not Y, Cb, Cr with Cb and Cr sampled once".into());
        };
        let table = |id: u8| {
            tables
                .get(usize::from(id))
                .copied()
                .flatten()
                .ok_or("no such DQT")
        };
        if table(cb)? != table(cr)? {
            return Err("Cb and Cr have different tables".into());
        }
        Ok(Self {
            width: u16::from_be_bytes([w0, w1]),
            height: u16::from_be_bytes([h0, h1]),
            sampling: match y {
                0x21 => 0,
                0x22 => 1,
                _ => return Err(format!("luma sampling {y:02x}")),
            },
            restart_interval,
            luma: table(luma)?,
            chroma: table(cb)?,
            scan: rest[..end + 2].to_vec(),
        })
    }
}

fn quantization(mut segment: &[u8], tables: &mut [Option<[u8; 64]>; 4]) -> Option<()> {
    while let [id, rest @ ..] = segment {
        let (table, rest) = rest.split_first_chunk::<64>()?;
        *tables.get_mut(usize::from(*id))? = Some(*table); // Pq = 0, so the octet is Tq
        segment = rest;
    }
    Some(())
}
