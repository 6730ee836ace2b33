//! What a flashed image does with `config.toml` at boot: the file that counts is chosen, the network set up by it, and
//! the neighbours told. systemd.network(5), systemd.netdev(5), systemd.dnssd(5), wpa_supplicant.conf(5).

pub mod choice;
pub mod discovery;
pub mod network;
