//! `devices`: what is plugged in and what can be asked of it.

use std::io::{self, Write};

use serde::Serialize;

use super::failure::Failure;
use crate::capture::listing::{Format, Listing, Rates, Size, list};
use crate::panel::{Control, Kind};
use crate::quote::{clean, toml_string};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    devices: Vec<Listing>,
    /// Nodes that could not be looked at, and why.
    errors: Vec<String>,
}

/// Prints every capture device.
pub fn devices(json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut report = Report {
        devices: Vec::new(),
        errors: Vec::new(),
    };
    for result in list() {
        match result {
            Ok(listing) => report.devices.push(listing),
            Err(error) => report.errors.push(error.to_string()),
        }
    }
    if json {
        serde_json::to_writer(&mut *out, &report).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    if report.devices.is_empty() && report.errors.is_empty() {
        writeln!(out, "no capture device (no /dev/video* node that captures)")?;
    }
    for device in &report.devices {
        print_device(device, out)?;
    }
    for error in &report.errors {
        writeln!(out, "{error}")?;
    }
    Ok(())
}

fn print_device(device: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let mark = if device.streamable {
        "can be streamed"
    } else {
        "cannot be streamed: no MJPG or JPEG format"
    };
    writeln!(out, "{}: {} - {mark}", device.node.display(), device.card)?;
    writeln!(out, "  driver {}, bus {}", device.driver, device.bus)?;
    let name = match &device.usb {
        Some(usb) => usb.clone(),
        None => format!("bus:{}", device.bus),
    };
    writeln!(out, "  device = {}", toml_string(&name))?;
    for link in device.by_id.iter().chain(&device.by_path) {
        let link = clean(&link.to_string_lossy());
        writeln!(out, "  device = {}", toml_string(&link))?;
    }
    for format in &device.formats {
        print_format(format, out)?;
    }
    if !device.controls.is_empty() {
        writeln!(out, "  [camera.controls]")?;
    }
    for control in &device.controls {
        print_control(control, out)?;
    }
    Ok(())
}

fn print_format(format: &Format, out: &mut dyn Write) -> io::Result<()> {
    let mark = if format.streamable {
        ""
    } else {
        " (raw, cannot be streamed)"
    };
    writeln!(out, "  format {}{mark}", format.fourcc)?;
    for size in &format.sizes {
        writeln!(out, "    {}", size_and_rates(size))?;
    }
    Ok(())
}

fn size_and_rates(size: &Size) -> String {
    let mut text = format!("{}x{}", size.width, size.height);
    if let Some((width, height)) = size.up_to {
        text += &format!(" to {width}x{height}");
    }
    if let Some((width, height)) = size.step.filter(|step| *step != (1, 1)) {
        text += &format!(" in steps of {width}x{height}");
    }
    let Rates { rates, rate_range } = &size.rates;
    let mut rates: Vec<String> = rates.iter().map(f64::to_string).collect();
    rates.extend(rate_range.map(|(slowest, fastest)| format!("{slowest} to {fastest}")));
    if !rates.is_empty() {
        text += &format!(" at {} fps", rates.join(", "));
    }
    text
}

fn print_control(control: &Control, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "    {}", control.name)?;
    if let Some(short) = control.short_name {
        write!(out, " (or {short})")?;
    }
    match control.kind {
        Kind::Boolean => write!(out, ": false or true")?,
        Kind::Integer | Kind::Menu => {
            write!(out, ": {}..={}", control.minimum, control.maximum)?;
        }
    }
    if control.step > 1 {
        write!(out, " step {}", control.step)?;
    }
    write!(out, ", default {}", control.default)?;
    if let Some(value) = control.value {
        write!(out, ", now {value}")?;
    }
    for (flag, text) in [
        (control.read_only, "read-only"),
        (control.inactive, "inactive"),
    ] {
        if flag {
            write!(out, ", {text}")?;
        }
    }
    writeln!(out)?;
    for item in &control.menu {
        writeln!(out, "      {} = {:?}", item.index, item.name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_one_by_one_or_ranges() {
        let mut size = Size {
            width: 32,
            height: 32,
            up_to: Some((2592, 1944)),
            step: Some((2, 2)),
            rates: Rates {
                rates: Vec::new(),
                rate_range: Some((1.0, 90.0)),
            },
        };
        let text = "32x32 to 2592x1944 in steps of 2x2 at 1 to 90 fps";
        assert_eq!(size_and_rates(&size), text);
        size.step = Some((1, 1));
        size.rates = Rates::default();
        assert_eq!(size_and_rates(&size), "32x32 to 2592x1944");
        (size.up_to, size.step) = (None, None);
        size.rates.rates = vec![30.0, 7.5];
        assert_eq!(size_and_rates(&size), "32x32 at 30, 7.5 fps");
    }
}
