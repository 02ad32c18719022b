//! The certificate of the TLS listener: one's own, or one made on the first start.

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where certificate and key are, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and then those that vouch for it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("{path}: {source}; name readable PEM files with --otg-cert and --otg-key")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// What is in the files is no certificate with its key.
    #[error("{path}: {reason}; name a certificate and its key in PEM")]
    Unfit {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
}

impl CertificateFiles {
    /// Those in a directory of one's own.
    pub fn within(directory: &Path) -> Self {
        Self { certificate: directory.join("otg.crt"), key: directory.join("otg.key") }
    }

    /// Makes a certificate for this machine that nobody vouches for, if there is none yet.
    ///
    /// # Errors
    /// If it cannot be made or written.
    pub fn make_once(&self) -> Result<(), CertificateError> {
        if self.certificate.exists() && self.key.exists() {
            return Ok(());
        }
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
        let made =
            rcgen::generate_simple_self_signed(names).map_err(|error| unfit(&self.key, &error))?;
        if let Some(directory) = self.key.parent() {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.map_err(|source| file(directory, source))?;
        }
        // Whoever is killed in between has no certificate, and makes both anew.
        match fs::remove_file(&self.certificate) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file(&self.certificate, error));
            }
            _ => (),
        }
        write(&self.key, &made.signing_key.serialize_pem(), 0o600)?;
        write(&self.certificate, &made.cert.pem(), 0o644)
    }

    /// How to speak TLS with them.
    ///
    /// # Errors
    /// If they cannot be read, or do not belong together.
    pub fn server(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let read = |path: &Path| fs::read(path).map_err(|source| file(path, source));
        let certificates = CertificateDer::pem_slice_iter(&read(&self.certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unfit(&self.certificate, &error))?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|error| unfit(&self.key, &error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(|error| unfit(&self.certificate, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The whole file or none.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), CertificateError> {
    use io::Write as _;
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let written = options.open(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&part, path)).map_err(|source| file(path, source))
}

fn file(path: &Path, source: io::Error) -> CertificateError {
    CertificateError::File { path: path.display().to_string(), source }
}

fn unfit(path: &Path, error: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::Unfit { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let files = CertificateFiles::within(&directory.path().join("deep/er"));
        files.make_once().unwrap();
        let first = fs::read(&files.certificate).unwrap();
        files.make_once().unwrap();
        assert_eq!(fs::read(&files.certificate).unwrap(), first);
        let mode = fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        files.server().unwrap();
        fs::write(&files.certificate, "nothing").unwrap();
        let error = files.server().unwrap_err().to_string();
        assert!(error.contains("otg.crt"), "{error}");
        fs::remove_file(&files.certificate).unwrap();
        assert!(matches!(files.server(), Err(CertificateError::File { .. })));
    }
}
