//! As much of an HTTP/1.1 client as a load needs: no TLS, bodies with a length.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Longer than any request may take; one that takes longer has no answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// A connection that is kept for many requests.
pub struct Client {
    stream: BufReader<TcpStream>,
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("the daemon's JSON")
    }

    pub fn is(self, status: u16) -> Result<Self> {
        if self.status != status {
            bail!("{} for {status}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(self)
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = self.stream.get_ref();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let (status, length) = self.head()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body })
    }

    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, b"")
    }

    /// Status and length of the body.
    fn head(&mut self) -> Result<(u16, usize)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the connection ended within a head");
            }
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse()?;
                }
                Some(_) => (),
                None => return Ok((status, length)),
            }
        }
    }

    /// The live stream, past its head. HTTP/1.0, so that it comes in no chunks.
    pub fn live(address: SocketAddr, query: &str) -> Result<TcpStream> {
        let mut client = Self::connect(address)?;
        let head = format!("GET /api/v1/live{query} HTTP/1.0\r\nhost: localhost\r\n\r\n");
        client.stream.get_ref().write_all(head.as_bytes())?;
        let (status, _) = client.head()?;
        anyhow::ensure!(status == 200, "the live stream answers {status}");
        // What came with the head is the begin of an event that nobody counts.
        Ok(client.stream.into_inner())
    }
}
