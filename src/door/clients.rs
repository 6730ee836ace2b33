//! Who is connected: not more than there is room for, in all and from one address.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::config::User;
use crate::stats::output::OutputStats;

/// Most connections.
const MOST: usize = 128;
/// Most connections from one address: a browser has six, and a wall of screens may share one address.
const MOST_OF_ONE: usize = 64;

/// All connections of a door.
#[derive(Debug, Clone, Default)]
pub struct Clients(Rc<All>);

#[derive(Debug, Default)]
struct All {
    present: RefCell<Vec<Rc<Client>>>,
    refused: Cell<u64>,
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    pub peer: SocketAddr,
    pub since: Instant,
    /// Who asked last.
    pub user: RefCell<Option<Arc<User>>>,
    /// The stream that it gets.
    pub stream: RefCell<Option<String>>,
    pub frames_sent: Cell<u64>,
    pub frames_skipped: Cell<u64>,
    /// The counters of its stream, if that comes by UDP.
    pub datagrams: RefCell<Option<Arc<OutputStats>>>,
}

/// A connection as others see it.
#[derive(Debug, Clone, Serialize)]
pub struct ClientSummary {
    peer: String,
    seconds: u64,
    stream: String,
    frames_sent: u64,
    frames_skipped: u64,
}

/// A connection that is counted as long as it is there.
#[derive(Debug)]
pub struct Admitted {
    client: Rc<Client>,
    all: Clients,
}

impl Clients {
    /// Lets `peer` in; `None` when there is no room.
    pub fn admit(&self, peer: SocketAddr) -> Option<Admitted> {
        let address = of(peer.ip());
        let mut present = self.0.present.borrow_mut();
        let of_same = present.iter().filter(|each| of(each.peer.ip()) == address);
        if present.len() >= MOST || of_same.count() >= MOST_OF_ONE {
            self.0.refused.set(self.0.refused.get() + 1);
            return None;
        }
        let client = Rc::new(Client {
            peer,
            since: Instant::now(),
            user: RefCell::default(),
            stream: RefCell::default(),
            frames_sent: Cell::new(0),
            frames_skipped: Cell::new(0),
            datagrams: RefCell::default(),
        });
        present.push(client.clone());
        Some(Admitted {
            client,
            all: self.clone(),
        })
    }

    /// So many are connected.
    pub fn count(&self) -> usize {
        self.0.present.borrow().len()
    }

    /// So many were refused.
    pub fn refused(&self) -> u64 {
        self.0.refused.get()
    }

    /// Those who get a stream.
    pub fn streaming(&self) -> Vec<ClientSummary> {
        let present = self.0.present.borrow();
        let summary = |client: &Rc<Client>| {
            let datagrams = client.datagrams.borrow();
            let (sent, skipped) = datagrams.as_ref().map_or((0, 0), |stats| stats.frames());
            Some(ClientSummary {
                peer: client.peer.to_string(),
                seconds: client.since.elapsed().as_secs(),
                stream: client.stream.borrow().clone()?,
                frames_sent: client.frames_sent.get() + sent,
                frames_skipped: client.frames_skipped.get() + skipped,
            })
        };
        present.iter().filter_map(summary).collect()
    }
}

/// Whom an address belongs to: who has an IPv6 network has all its addresses (RFC 4291 2.5.4).
pub fn of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(network.into())
        }
        address => address,
    }
}

impl Admitted {
    /// Its counters.
    pub fn client(&self) -> &Rc<Client> {
        &self.client
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut present = self.all.0.present.borrow_mut();
        present.retain(|each| !Rc::ptr_eq(each, &self.client));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_some_of_one_address_and_some_more_of_others() {
        let clients = Clients::default();
        let peer = |host: usize| format!("[2001:db8:0:{host}::{host}]:1").parse().unwrap();
        let one: Vec<_> = (0..MOST_OF_ONE)
            .map(|_| clients.admit(peer(1)).unwrap())
            .collect();
        assert!(
            clients
                .admit("[2001:db8:0:1::2]:9".parse().unwrap())
                .is_none()
        );
        let others: Vec<_> = (0..MOST - MOST_OF_ONE)
            .map(|host| clients.admit(peer(host + 2)).unwrap())
            .collect();
        assert!(clients.admit(peer(9999)).is_none());
        assert_eq!((clients.count(), clients.refused()), (MOST, 2));
        drop(one);
        assert!(clients.admit(peer(1)).is_some());
        drop(others);
        assert_eq!(clients.count(), 0);
    }
}
