//! One connection: requests one after the other, each with little time for its head, and an end when nothing moves.

use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tracing::debug;

use super::clients::Admitted;
use super::house::House;
use super::routes;

/// Longest time for the head of a request, also of the next on the same connection.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// Longest time in which the peer takes nothing of what is there for it; the kernel ends the connection then (tcp(7)).
pub const WRITE_TIME: Duration = Duration::from_secs(10);
/// Most octets of a head, and of what is written ahead: a picture waits outside.
const BUFFER: usize = 8192;
/// Octets that the kernel keeps unsent: a slow viewer is to miss pictures, not to get old ones.
const UNSENT: u32 = 64 * 1024;

/// Serves `stream` to its end.
pub async fn serve(stream: TcpStream, admitted: Admitted, house: Rc<House>) {
    if let Err(problem) = set_up(&stream) {
        debug!("http: {}: {problem}", admitted.client().peer);
    }
    converse(stream, admitted, house).await;
}

/// The same over whatever carries octets both ways.
pub async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    admitted: Admitted,
    house: Rc<House>,
) {
    let service = service_fn(|request| {
        let (client, house) = (admitted.client().clone(), house.clone());
        async move { Ok::<_, Infallible>(routes::answer(request, client, house).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(problem) = served {
        debug!("http: {}: {problem}", admitted.client().peer);
    }
}

/// A peer that is gone without a word is noticed while nothing is sent, too.
pub fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(HEAD_TIME)
            .with_interval(HEAD_TIME),
    )?;
    socket.set_tcp_user_timeout(Some(WRITE_TIME))?;
    socket.set_tcp_notsent_lowat(UNSENT)
}
