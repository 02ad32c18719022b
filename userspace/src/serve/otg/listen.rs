//! The listener.

use super::{CertificateFiles, Otg, certificate::CertificateError};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

/// An address that is listened at, before anybody is answered.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<RustlsConfig>,
}

/// Why nobody can be listened to.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be taken.
    #[error("{address}: {source}; choose another address with --otg")]
    Address {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl Listener {
    /// Takes the address; without certificate for plain HTTP.
    ///
    /// # Errors
    /// [`ListenError`]
    pub fn open(
        address: SocketAddr,
        certificate: Option<&CertificateFiles>,
    ) -> Result<Self, ListenError> {
        let tls = certificate.map(CertificateFiles::server).transpose()?;
        let refused = |source| ListenError::Address { address, source };
        let socket = TcpListener::bind(address).map_err(refused)?;
        socket.set_nonblocking(true).map_err(refused)?;
        Ok(Self { socket, tls: tls.map(RustlsConfig::from_config) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Answers until the handle says that it is over.
    ///
    /// # Errors
    /// If the socket fails.
    pub async fn serve(self, otg: Arc<Otg>, handle: Handle<SocketAddr>) -> io::Result<()> {
        let service = otg.router().into_make_service();
        match self.tls {
            Some(tls) => {
                let server = axum_server::from_tcp_rustls(self.socket, tls)?;
                server.handle(handle).serve(service).await
            }
            None => axum_server::from_tcp(self.socket)?.handle(handle).serve(service).await,
        }
    }
}
