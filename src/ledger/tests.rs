use super::*;
use crate::config::Config;

/// A file in memory that is removed at the end.
struct Memory(PathBuf);

impl Memory {
    fn new(name: &str) -> Self {
        let file = format!("framewire-ledger-{name}-{}", std::process::id());
        Self(Path::new("/dev/shm").join(file))
    }

    fn open(&self) -> Arc<Ledger> {
        Arc::new(Ledger::open_at(&self.0).unwrap())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn output(lines: &str) -> config::Output {
    let text = format!("[[camera]]\nname = \"x\"\n[[camera.rtp]]\n{lines}\n");
    let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
    config.cameras[0].outputs[0].clone()
}

fn identity(sequence_number: u16) -> Identity {
    Identity {
        ssrc: 0x0102_0304,
        clock_offset: 0x0506_0708,
        sequence_number,
        report_port: 5005,
        source: Some(([192, 0, 2, 1], 5004).into()),
    }
}

const FRONT: &str = "destination = \"192.0.2.9:5004\"";

#[test]
fn what_was_written_last_is_known_to_the_next_process() {
    let file = Memory::new("next");
    for (sequence_number, source) in [
        (1, Some(([192, 0, 2, 1], 5004).into())),
        (65_535, Some("[2001:db8::1]:5004".parse().unwrap())),
        (2, None),
    ] {
        let identity = Identity {
            source,
            ..identity(sequence_number)
        };
        let (entry, _) = file.open().claim("front", &output(FRONT)).unwrap();
        entry.write(self::identity(7));
        entry.write(identity);
        drop(entry);
        let (_, known) = file.open().claim("front", &output(FRONT)).unwrap();
        assert_eq!(known, Some(identity));
    }
}

#[test]
fn another_camera_another_destination_and_another_stream_know_nothing() {
    let file = Memory::new("others");
    let ledger = file.open();
    let (entry, known) = ledger.claim("front", &output(FRONT)).unwrap();
    assert_eq!(known, None);
    entry.write(identity(1));
    let others = [
        ("rear", FRONT.to_owned()),
        ("front", "destination = \"192.0.2.9:5006\"".to_owned()),
        ("front", format!("{FRONT}\nssrc = 1")),
        ("front", format!("{FRONT}\nlocal-port = 9")),
    ];
    for (name, lines) in others {
        let (_, known) = ledger.claim(name, &output(&lines)).unwrap();
        assert_eq!(known, None, "{name} {lines}");
    }
    drop(entry);
    // How it leaves is no other stream.
    let lines = format!("{FRONT}\nmtu = 9000\nttl = 3");
    let (entry, known) = ledger.claim("front", &output(&lines)).unwrap();
    assert_eq!(known, Some(identity(1)));
    entry.erase();
    drop(entry);
    let (_, known) = ledger.claim("front", &output(FRONT)).unwrap();
    assert_eq!(known, None);
}

#[test]
fn nobody_shares_an_entry() {
    let file = Memory::new("shared");
    let (ledger, other) = (file.open(), file.open());
    let (entry, _) = ledger.claim("front", &output(FRONT)).unwrap();
    entry.write(identity(1));
    assert!(ledger.claim("front", &output(FRONT)).is_none());
    assert!(other.claim("front", &output(FRONT)).is_none());
    let (rear, known) = other.claim("rear", &output(FRONT)).unwrap();
    assert_eq!(known, None);
    rear.write(identity(2));
    drop(entry);
    let (_, known) = other.claim("front", &output(FRONT)).unwrap();
    assert_eq!(known, Some(identity(1)));
    drop(rear);
    let (_, known) = ledger.claim("rear", &output(FRONT)).unwrap();
    assert_eq!(known, Some(identity(2)));
}

#[test]
fn a_full_file_gives_the_oldest_place_to_who_comes() {
    let file = Memory::new("full");
    let ledger = file.open();
    let claim = |number: usize| ledger.claim(&number.to_string(), &output(FRONT));
    let entries: Vec<Entry> = (0..MAX_RECORDS)
        .map(|number| {
            let (entry, _) = claim(number).unwrap();
            entry.write(identity(1));
            entry
        })
        .collect();
    assert!(claim(MAX_RECORDS).is_none());
    drop(entries);
    let (entry, known) = claim(MAX_RECORDS).unwrap();
    assert_eq!(known, None);
    entry.write(identity(2));
    drop(entry);
    assert_eq!(claim(1).unwrap().1, Some(identity(1)));
    assert_eq!(claim(0).unwrap().1, None);
    assert_eq!(claim(MAX_RECORDS).unwrap().1, Some(identity(2)));
}

#[test]
fn damaged_foreign_and_stale_entries_are_nothing() {
    let file = Memory::new("damaged");
    let record = Record {
        key: record::key("front", &output(FRONT)),
        written: monotonic_now(),
        cname: *b"twelve bytes",
        identity: identity(1),
    };
    let boot = file.open().boot;
    let good = record.to_octets(&boot);
    assert_eq!(Record::parse(&good, &boot), Some(record));
    let known = |octets: &[u8]| {
        fs::write(&file.0, octets).unwrap();
        file.open().claim("front", &output(FRONT)).unwrap().1
    };
    assert_eq!(known(&good), Some(identity(1)));
    for index in 0..RECORD_OCTETS {
        let mut damaged = good;
        damaged[index] ^= 1;
        assert_eq!(known(&damaged), None, "octet {index}");
    }
    assert_eq!(known(&good[..RECORD_OCTETS - 1]), None);
    assert_eq!(known(&[0x55; 200_000]), None);
    assert_eq!(known(b""), None);
    let mut other_boot = boot;
    other_boot[0] ^= 1;
    assert_eq!(known(&record.to_octets(&other_boot)), None);
    let future = Record {
        written: monotonic_now() + std::time::Duration::from_secs(60),
        ..record
    };
    assert_eq!(known(&future.to_octets(&boot)), None);
    // Swept away, and not only overlooked.
    assert!(fs::read(&file.0).unwrap().iter().all(|&octet| octet == 0));
}

#[test]
fn a_file_that_may_block_or_is_none_is_refused() {
    // Beside the test's program: on a disk.
    let name = format!("framewire-ledger-disk-{}", std::process::id());
    let disk = Memory(std::env::current_exe().unwrap().with_file_name(name));
    for (path, reason) in [
        (disk.0.as_path(), "not in memory"),
        (Path::new("/dev/null"), "not a regular file"),
        (Path::new("/dev/shm"), "Is a directory"),
    ] {
        let error = Ledger::open_at(path).unwrap_err().to_string();
        assert!(error.contains(reason), "{}: {error}", path.display());
    }
    let file = Memory::new("link");
    std::os::unix::fs::symlink("/dev/shm/nowhere", &file.0).unwrap();
    assert!(Ledger::open_at(&file.0).is_err());
}

#[test]
fn the_folder_is_the_services_or_else_the_users() {
    let locate = |variables: &[(&str, &str)]| {
        super::locate(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.into())
        })
    };
    let (service, user) = (
        ("RUNTIME_DIRECTORY", "/run/a:/run/b"),
        ("XDG_RUNTIME_DIR", "/run/user/1"),
    );
    assert_eq!(locate(&[service, user]), Some("/run/a/streams".into()));
    assert_eq!(
        locate(&[user]),
        Some("/run/user/1/framewire-streams".into())
    );
    assert_eq!(locate(&[]), None);
}
