//! As much of an RTSP server as FFmpeg needs to learn where framewire's reports come from: with a session
//! description alone it sends none of its own.
//! RFC 2326.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Serves one client: a stream described by `sdp`, from the local `server_port` to `client_port`. Returns its URL.
pub fn serve(sdp: String, client_port: u16, server_port: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let transport = format!(
        "Transport: RTP/AVP;unicast;source=127.0.0.1;client_port={client_port}-{};server_port={server_port}-{}\r\n",
        client_port + 1,
        server_port + 1,
    );
    thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        answer_all(client, &sdp, &transport);
    });
    format!("rtsp://{address}/")
}

/// Ends when the client does.
fn answer_all(mut client: TcpStream, sdp: &str, transport: &str) {
    let mut requests = BufReader::new(client.try_clone().expect("another descriptor")).lines();
    while let Some(Ok(request)) = requests.next() {
        let mut headers = String::new();
        while let Some(Ok(line)) = requests.next()
            && !line.is_empty()
        {
            if line.starts_with("CSeq:") {
                write!(headers, "{line}\r\n").expect("memory");
            }
        }
        let body = match request.split(' ').next() {
            Some("DESCRIBE") => {
                let length = sdp.len();
                write!(
                    headers,
                    "Content-Type: application/sdp\r\nContent-Length: {length}\r\n"
                )
                .expect("memory");
                sdp
            }
            Some("SETUP") => {
                headers += transport;
                ""
            }
            _ => "",
        };
        let answer = format!("RTSP/1.0 200 OK\r\n{headers}Session: 1\r\n\r\n{body}");
        if client.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
