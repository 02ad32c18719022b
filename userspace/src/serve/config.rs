//! What the daemon is told: by flags and the environment, and below them by a file.

use crate::units::parse_duration;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    env, fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// As told; what is absent has its default. The keys of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Where REST and the live stream listen.
    pub listen: Option<SocketAddr>,
    /// The SQLite file.
    pub store: Option<PathBuf>,
    /// A file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Certificate chain, PEM; with it HTTPS is spoken.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Host names by which clients may call the daemon.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Names for PORTs.
    #[serde(default)]
    pub alias: BTreeMap<String, String>,
    /// Length of a sample: `1s`, down to `100ms`.
    pub interval: Option<String>,
    /// Runs kept in the store, and as many suites.
    pub retain_runs: Option<u32>,
    /// Where the Open Traffic Generator API listens.
    pub otg: Option<SocketAddr>,
    /// It speaks plain HTTP instead of TLS.
    pub otg_plain: Option<bool>,
    /// Its certificate chain, PEM; without it one is made.
    pub otg_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub otg_key: Option<PathBuf>,
}

/// What the daemon goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where REST and the live stream listen.
    pub listen: SocketAddr,
    /// The SQLite file.
    pub store: PathBuf,
    /// What a client must know; `None`: nothing.
    pub token: Option<Token>,
    /// Certificate chain and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Host names by which clients may call the daemon.
    pub hosts: Vec<String>,
    /// Names for PORTs.
    pub aliases: BTreeMap<String, String>,
    /// Length of a sample.
    pub interval: Duration,
    /// Runs kept in the store, and as many suites.
    pub retain_runs: u32,
    /// Where the Open Traffic Generator API listens.
    pub otg: SocketAddr,
    /// Its certificate; `None`: plain HTTP.
    pub otg_certificate: Option<OtgCertificate>,
}

/// The certificate of the Open Traffic Generator API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtgCertificate {
    /// Made on the first start, beside the store.
    Made,
    /// Chain and key.
    Given(PathBuf, PathBuf),
}

/// A secret that no message shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Why the daemon cannot start as told. Exit code 64.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ConfigError {
    #[error("{path}: {source}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: {problem}", path = .path.display())]
    File { path: PathBuf, problem: String },
    #[error(
        "{listen} can be reached from outside: set a token of at least 16 characters, by token_file (--token-file) or LINERATE_TOKEN"
    )]
    NoToken { listen: SocketAddr },
    #[error("the token is too short; use at least 16 characters")]
    ShortToken,
    #[error("tls_cert and tls_key belong together; give both or none")]
    HalfTls,
    #[error("interval: \"{0}\" is no time from 100ms to 60s")]
    Interval(String),
    #[error(
        "otg: {otg} can be reached from outside, and clients of this API cannot show a token; listen at a loopback address"
    )]
    OtgOutside { otg: SocketAddr },
    #[error("otg_cert and otg_key belong together, and neither to otg_plain")]
    HalfOtgTls,
    #[error("--alias {0}: write NAME=PORT")]
    Alias(String),
}

/// The environment variable of the token.
const TOKEN: &str = "LINERATE_TOKEN";
const TOKEN_LEAST: usize = 16;

impl Token {
    /// Whether a client knows it; takes the same time for every guess of its length.
    pub fn is(&self, guess: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }
}

impl Options {
    /// Reads a file in TOML.
    ///
    /// # Errors
    /// If it cannot be read, or has a key or value that is none.
    pub fn from_path(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        toml::from_str(&text).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            problem: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    /// What `self` leaves open is as `below` says.
    #[must_use]
    pub fn over(mut self, below: Self) -> Self {
        let mut alias = below.alias;
        alias.append(&mut self.alias);
        Self {
            listen: self.listen.or(below.listen),
            store: self.store.or(below.store),
            token_file: self.token_file.or(below.token_file),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            hosts: if self.hosts.is_empty() { below.hosts } else { self.hosts },
            alias,
            interval: self.interval.or(below.interval),
            retain_runs: self.retain_runs.or(below.retain_runs),
            otg: self.otg.or(below.otg),
            otg_plain: self.otg_plain.or(below.otg_plain),
            otg_cert: self.otg_cert.or(below.otg_cert),
            otg_key: self.otg_key.or(below.otg_key),
        }
    }

    /// Adds `NAME=PORT`.
    ///
    /// # Errors
    /// If it is none.
    pub fn add_alias(&mut self, text: &str) -> Result<(), ConfigError> {
        match text.split_once('=') {
            Some((name, port)) if !name.is_empty() && !port.is_empty() => {
                self.alias.insert(name.to_owned(), port.to_owned());
                Ok(())
            }
            _ => Err(ConfigError::Alias(text.to_owned())),
        }
    }

    /// Fills in what is open, reads the token, and refuses what would not be safe.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let token = match (&self.token_file, env::var(TOKEN)) {
            (Some(path), _) => Some(read(path)?),
            (None, Ok(token)) => Some(token),
            (None, Err(_)) => None,
        };
        self.resolve_with(token.as_deref())
    }

    fn resolve_with(self, token: Option<&str>) -> Result<Config, ConfigError> {
        let listen = self.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        if token.is_some_and(|token| token.len() < TOKEN_LEAST) {
            return Err(ConfigError::ShortToken);
        }
        if token.is_none() && !listen.ip().is_loopback() {
            return Err(ConfigError::NoToken { listen });
        }
        let otg = self.otg.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)));
        // Its clients have no way to show a token.
        if !otg.ip().is_loopback() {
            return Err(ConfigError::OtgOutside { otg });
        }
        let interval = self.interval.unwrap_or_else(|| "1s".to_owned());
        let range = Duration::from_millis(100)..=Duration::from_mins(1);
        Ok(Config {
            listen,
            store: self.store.unwrap_or_else(|| crate::calibration::directory().join("serve.db")),
            token: token.map(|token| Token(token.to_owned())),
            tls: match (self.tls_cert, self.tls_key) {
                (Some(cert), Some(key)) => Some((cert, key)),
                (None, None) => None,
                _ => return Err(ConfigError::HalfTls),
            },
            hosts: self.hosts,
            aliases: self.alias,
            interval: parse_duration(&interval)
                .filter(|time| range.contains(time))
                .ok_or(ConfigError::Interval(interval))?,
            retain_runs: self.retain_runs.unwrap_or(1000),
            otg,
            otg_certificate: match (self.otg_plain.unwrap_or_default(), self.otg_cert, self.otg_key)
            {
                (true, None, None) => None,
                (false, Some(cert), Some(key)) => Some(OtgCertificate::Given(cert, key)),
                (false, None, None) => Some(OtgCertificate::Made),
                _ => return Err(ConfigError::HalfOtgTls),
            },
        })
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_loopback_a_token_is_mandatory_and_no_message_shows_it() {
        let told =
            |listen: &str| Options { listen: Some(listen.parse().unwrap()), ..Options::default() };
        assert!(told("127.0.0.1:1").resolve_with(None).is_ok());
        assert!(told("[::1]:1").resolve_with(None).is_ok());
        for listen in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
            for token in [None, Some(""), Some(" \n")] {
                let error = told(listen).resolve_with(token).unwrap_err();
                assert!(matches!(error, ConfigError::NoToken { .. }), "{error}");
            }
            let error = told(listen).resolve_with(Some("short")).unwrap_err();
            assert!(matches!(error, ConfigError::ShortToken), "{error}");
            let config = told(listen).resolve_with(Some("0123456789abcdef\n")).unwrap();
            assert!(!format!("{config:?}").contains("0123"));
            let token = config.token.unwrap();
            assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeF") && !token.is(""));
        }
    }

    #[test]
    fn flags_are_over_the_file_and_aliases_add_up() {
        let file: Options = toml::from_str(
            "listen = \"127.0.0.1:1\"\ninterval = \"200ms\"\n[alias]\na = \"x\"\nb = \"y\"\n",
        )
        .unwrap();
        let mut flags =
            Options { listen: Some("127.0.0.1:2".parse().unwrap()), ..Options::default() };
        flags.add_alias("b=z").unwrap();
        assert!(flags.add_alias("b").is_err() && flags.add_alias("=z").is_err());
        let config = flags.over(file).resolve_with(None).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.interval, Duration::from_millis(200));
        assert_eq!(config.aliases["a"], "x");
        assert_eq!(config.aliases["b"], "z");
    }

    #[test]
    fn what_is_no_option_is_refused() {
        assert!(toml::from_str::<Options>("listn = \"127.0.0.1:1\"").is_err());
        let with =
            |interval: &str| Options { interval: Some(interval.into()), ..Options::default() };
        for interval in ["99ms", "61s", "x"] {
            assert!(with(interval).resolve_with(None).is_err(), "{interval}");
        }
        let half = Options { tls_cert: Some("a".into()), ..Options::default() };
        assert!(matches!(half.resolve_with(None), Err(ConfigError::HalfTls)));
    }
}
