//! By which ways people and players come in: what is spoken, and at which sockets.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::config::{Config, Discovery, Http, Rtsp};

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Rtsp,
}

/// What is spoken, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// For people.
    pub http: Option<Http>,
    /// For players and recorders.
    pub rtsp: Option<Rtsp>,
    /// Who hears of it.
    pub discovery: Discovery,
}

impl Ways {
    /// As `config` says; `None` when nothing is to listen.
    pub fn of(config: &Config) -> Option<Self> {
        let (http, rtsp) = (config.http.clone(), config.rtsp.clone());
        (http.is_some() || rtsp.is_some()).then_some(Self {
            http,
            rtsp,
            discovery: config.discovery,
        })
    }
}

/// Sockets that are bound already.
#[derive(Debug, Default)]
pub struct Bound {
    /// For people.
    pub http: Vec<TcpListener>,
    /// For players and recorders.
    pub rtsp: Vec<TcpListener>,
}

/// A socket that listens on `address`; the error names it.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(named)?;
    listener.set_nonblocking(true).map_err(named)?;
    Ok(listener)
}
