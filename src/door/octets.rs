//! What the door says to a connection's octets, without a network: for those who try what breaks it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::connection;
use super::house::{Behind, House};
use super::users::Users;
use super::ways::Ways;
use crate::config::User;
use crate::directory::{Directory, Entry};
use crate::kept::Shelf;

/// Octets that are on their way in one direction at a time.
const ON_THEIR_WAY: usize = 16 * 1024;
/// Who sends them.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Turns of the thread in which all that has come is looked at.
const TURNS: usize = 50;

/// All that is said to `octets`, which come in pieces of `piece` octets, until the peer says no more and the `cameras`,
/// which show nothing, are no longer configured; to `users`.
pub fn answer(
    octets: &[u8],
    piece: usize,
    users: &[User],
    cameras: &[Entry],
) -> io::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let local = LocalSet::new();
    let directory = Arc::new(Directory::default());
    directory.set(cameras.to_vec());
    local.block_on(&runtime, async {
        let known = Arc::new(Users::default());
        known.set(users);
        let behind = Behind {
            directory: directory.clone(),
            shelf: Shelf::default(),
        };
        let house = Rc::new(House::new(behind, Ways::default(), known)?);
        let admitted = house.clients.admit(PEER);
        let admitted = admitted.ok_or_else(|| io::Error::other("no room for the first one"))?;
        let (here, there) = duplex(ON_THEIR_WAY);
        let (mut reader, mut writer) = split(here);
        let (octets, feeds) = (octets.to_vec(), house.feeds.clone());
        spawn_local(async move {
            for piece in octets.chunks(piece.max(1)) {
                // The door may have had enough.
                if writer.write_all(piece).await.is_err() {
                    break;
                }
            }
            let _ = writer.shutdown().await;
            for _ in 0..TURNS {
                yield_now().await;
            }
            directory.set(Vec::new());
            feeds.close_removed();
        });
        let read = spawn_local(async move {
            let mut said = Vec::new();
            reader.read_to_end(&mut said).await.map(|_| said)
        });
        connection::converse(there, admitted, house).await;
        read.await.map_err(io::Error::other)?
    })
}
