//! `linerate serve`.

use super::Failure;
use crate::serve::{Options, main as serve};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf};

/// `linerate serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where REST and the live stream listen; 127.0.0.1:8080 unless told otherwise
    #[arg(long, env = "LINERATE_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Another name for a PORT; may be repeated
    #[arg(long, env = "LINERATE_ALIAS", value_name = "NAME=PORT", value_delimiter = ',')]
    pub alias: Vec<String>,
    /// The SQLite file of flow sets, runs and results
    #[arg(long, env = "LINERATE_STORE", value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// File with the token that clients must know; or the variable LINERATE_TOKEN
    #[arg(long, env = "LINERATE_TOKEN_FILE", value_name = "PATH")]
    pub token_file: Option<PathBuf>,
    /// Certificate chain, PEM: HTTPS
    #[arg(long, env = "LINERATE_TLS_CERT", value_name = "PATH")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "LINERATE_TLS_KEY", value_name = "PATH")]
    pub tls_key: Option<PathBuf>,
    /// A host name by which clients call the daemon; addresses and localhost always go
    #[arg(long = "host", env = "LINERATE_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub hosts: Vec<String>,
    /// Length of a sample, and time between live snapshots: 100ms to 60s
    #[arg(long, env = "LINERATE_INTERVAL", value_name = "TIME")]
    pub interval: Option<String>,
    /// Runs kept in the store, and as many suites
    #[arg(long, env = "LINERATE_RETAIN_RUNS", value_name = "N")]
    pub retain_runs: Option<u32>,
    /// Where the Open Traffic Generator API listens; 127.0.0.1:8443 unless told otherwise
    #[arg(long, env = "LINERATE_OTG", value_name = "ADDRESS:PORT")]
    pub otg: Option<SocketAddr>,
    /// Plain HTTP there instead of TLS
    #[arg(long, env = "LINERATE_OTG_PLAIN", value_name = "true|false", num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    pub otg_plain: Option<bool>,
    /// Its certificate chain, PEM; without it one is made on the first start
    #[arg(long, env = "LINERATE_OTG_CERT", value_name = "PATH")]
    pub otg_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "LINERATE_OTG_KEY", value_name = "PATH")]
    pub otg_key: Option<PathBuf>,
    /// A TOML file with these options, `_` for `-`: listen, store, token_file, tls_cert, tls_key,
    /// hosts (a list), interval, retain_runs, otg, otg_plain, otg_cert, otg_key, and a table
    /// `[alias]`
    #[arg(long, env = "LINERATE_CONFIG", value_name = "PATH")]
    pub config: Option<PathBuf>,
}

pub(super) fn main(args: ServeArgs) -> Result<u8, Failure> {
    let told = |error: crate::serve::ConfigError| Failure::usage(error.to_string());
    let mut options = Options {
        listen: args.listen,
        store: args.store,
        token_file: args.token_file,
        tls_cert: args.tls_cert,
        tls_key: args.tls_key,
        hosts: args.hosts,
        interval: args.interval,
        retain_runs: args.retain_runs,
        otg: args.otg,
        otg_plain: args.otg_plain,
        otg_cert: args.otg_cert,
        otg_key: args.otg_key,
        ..Options::default()
    };
    args.alias.iter().try_for_each(|alias| options.add_alias(alias)).map_err(told)?;
    if let Some(path) = &args.config {
        options = options.over(Options::from_path(path).map_err(told)?);
    }
    let config = options.resolve().map_err(told)?;
    serve(config)
        .map(|()| 0)
        .map_err(|error| Failure { code: error.exit_code(), message: error.to_string() })
}
