//! The thread of a door: accepts connections, as many as it may have, until it is told to stop.

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;
use tracing::warn;

use super::connection;
use super::entrance::Arrivals;
use super::house::{Behind, House};
use super::mdns;
use super::rtsp;
use super::users::Users;
use super::ways::{Protocol, Ways};
use crate::bell::Bell;
use crate::heartbeat::Heartbeat;
use crate::log_limit::LogLimit;

/// Time between two beats of its heart.
const BEAT: Duration = Duration::from_millis(500);
/// Pause after a connection that could not be accepted: usually no descriptor is left.
const PAUSE: Duration = Duration::from_millis(200);

/// What the thread needs.
pub struct Server {
    pub arrivals: Arc<Arrivals>,
    pub ways: Ways,
    pub users: Arc<Users>,
    pub behind: Behind,
    pub stop: Arc<Bell>,
    pub heartbeat: Arc<Heartbeat>,
}

impl Server {
    /// Serves until it is told to stop.
    pub fn run(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let local = LocalSet::new();
        local.block_on(&runtime, self.serve())
    }

    async fn serve(self) -> io::Result<()> {
        let announced = self.ways.http.as_ref().map(|http| http.listen.clone());
        if let Some(listen) = announced.filter(|_| self.ways.discovery.mdns) {
            spawn_local(mdns::tell(listen, self.behind.directory.clone()));
        }
        let house = Rc::new(House::new(self.behind, self.ways, self.users)?);
        let arrivals = self.arrivals;
        spawn_local(async move {
            loop {
                self.heartbeat.beat();
                for (protocol, listener) in arrivals.take() {
                    spawn_local(accept(protocol, listener, house.clone()));
                }
                house.feeds.close_removed();
                house
                    .feeds
                    .close_for(|client| !house.access.may_stay(client));
                sleep(BEAT).await;
            }
        });
        UnixStream::from_std(self.stop.listener()?)?
            .readable()
            .await
    }
}

async fn accept(protocol: Protocol, listener: TcpListener, house: Rc<House>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(problem) => return warn!("the door: {problem}"),
    };
    let mut failures = LogLimit::default();
    loop {
        match listener.accept().await {
            // Dropped at once when there are too many: the peer sees a closed connection.
            Ok((stream, peer)) => match protocol {
                Protocol::Http => {
                    if let Some(client) = house.clients.admit(peer) {
                        spawn_local(connection::serve(stream, client, house.clone()));
                    }
                }
                Protocol::Rtsp => {
                    if let Some(client) = house.rtsp.connections.admit(peer) {
                        spawn_local(rtsp::connection::serve(stream, client, house.clone()));
                    }
                }
            },
            Err(error) => {
                if let Some(times) = failures.note(Instant::now()) {
                    warn!("the door takes no connection: {error}{times}");
                }
                sleep(PAUSE).await;
            }
        }
    }
}
