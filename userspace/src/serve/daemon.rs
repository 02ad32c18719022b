//! The daemon's life: opened with privileges, served without, ended in order.

use super::{
    config::{Config, OtgCertificate},
    engine::{Engine, Event, Sink},
    live::Live,
    manager::Manager,
    otg::{CertificateFiles, Listener, Otg},
    rest::{self, App},
    runs::{Runs, Settings},
    store::{Store, StoreError},
    suites::Suites,
    tls,
};
use crate::collect::DEFAULT_CAPACITY;
use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::rt::TokioTimer;
use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// Why the daemon did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ServeError {
    #[error("cannot make {path}: {source}", path = .path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {listen}: {source}")]
    Listen { listen: SocketAddr, source: io::Error },
    #[error("{0}")]
    Tls(String),
    #[error("{0}")]
    Otg(String),
    #[error("cannot start the data plane: {0}")]
    Engine(io::Error),
    #[error("cannot drop the privileges: {0}")]
    Privileges(String),
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
}

impl ServeError {
    /// The exit code that CONTRACT gives this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Directory { .. }
            | Self::Store(_)
            | Self::Listen { .. }
            | Self::Tls(_)
            | Self::Otg(_) => 64,
            Self::Engine(_) | Self::Privileges(_) | Self::Serve(_) => 2,
        }
    }
}

/// Runs of the Open Traffic Generator API have numbers above those of the store.
const OTG_NUMBERS: u64 = 1 << 52;

/// Hears the engine for all who start something there.
#[derive(Debug)]
struct Ears {
    runs: Arc<Runs>,
    suites: Arc<Suites>,
    otg: OnceLock<Arc<Otg>>,
}

impl Sink for Ears {
    fn event(&self, event: Event) {
        if let Event::Suite(event) = event {
            self.suites.event(event);
        } else if !self.otg.get().is_some_and(|otg| otg.hear(&event)) {
            self.runs.event(event);
        }
    }

    fn died(&self, reason: &str, is_final: bool) {
        if let Some(otg) = self.otg.get() {
            otg.died(reason);
        }
        self.suites.died(reason);
        self.runs.died(reason, is_final);
    }
}

/// The files of the certificate, made if there are none; `None`: plain HTTP.
fn otg_certificate(config: &Config) -> Result<Option<CertificateFiles>, ServeError> {
    let directory = || config.store.parent().map(Path::to_owned).unwrap_or_default();
    match &config.otg_certificate {
        None => Ok(None),
        Some(OtgCertificate::Given(certificate, key)) => {
            Ok(Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() }))
        }
        Some(OtgCertificate::Made) => {
            let files = CertificateFiles::within(&directory());
            files.make_once().map_err(|error| ServeError::Otg(error.to_string()))?;
            Ok(Some(files))
        }
    }
}

/// How long runs may take to end, and then requests.
const RUNS_PATIENCE: Duration = Duration::from_secs(35);
const REQUESTS_PATIENCE: Duration = Duration::from_secs(5);
/// How long a client may take to say what it wants.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// Octets of a request's head.
const HEAD: usize = 64 << 10;
/// Threads that answer; the cores are for what sends.
const THREADS: usize = 2;

/// Of the threads that answer, above that of the data plane: a little, for they share the
/// machine with others too.
const NICE: i32 = 3;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// [`ServeError`].
pub fn main(config: Config) -> Result<(), ServeError> {
    if let Some(path) = config.store.parent() {
        let failed = |source| ServeError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
    }
    let store = Arc::new(Store::open(&config.store, config.retain_runs)?);
    let listen = |source| ServeError::Listen { listen: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let tls = match &config.tls {
        Some((cert, key)) => Some(tls::server_config(cert, key).map_err(ServeError::Tls)?),
        None => None,
    };
    let certificate = otg_certificate(&config)?;
    let otg_listener = Listener::open(config.otg, certificate.as_ref())
        .map_err(|error| ServeError::Otg(error.to_string()))?;
    let live = Arc::new(Live::default());
    let settings = Settings { interval: config.interval, samples: DEFAULT_CAPACITY };
    let runs = Arc::new(Runs::new(Arc::clone(&store), Arc::clone(&live), settings));
    let suites = Arc::new(Suites::new(Arc::clone(&store), Arc::clone(&live)));
    let engine = Engine::spawn().map_err(ServeError::Engine)?;
    // What sends goes first, where both want one core.
    let _ = rustix::process::nice(NICE);
    // Before the first thread: each has its own, and those from here on have none.
    drop_privileges().map_err(ServeError::Privileges)?;
    let ears = Arc::new(Ears {
        runs: Arc::clone(&runs),
        suites: Arc::clone(&suites),
        otg: OnceLock::new(),
    });
    let sink: Arc<dyn Sink> = Arc::<Ears>::clone(&ears);
    let engine = Arc::new(Engine::attach(engine, sink).map_err(ServeError::Engine)?);
    runs.attach(Arc::clone(&engine));
    suites.attach(Arc::clone(&engine)).map_err(ServeError::Engine)?;
    let aliases = config.aliases.clone().into_iter().collect();
    let otg = Arc::new(Otg::new(engine, aliases, Arc::new(AtomicU64::new(OTG_NUMBERS))));
    // It is set here and nowhere else.
    let _ = ears.otg.set(Arc::clone(&otg));

    let app = App::new(
        Arc::clone(&runs),
        Arc::clone(&suites),
        store,
        Arc::clone(&live),
        Arc::new(config),
    );
    let (router, _) = rest::router(app);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("http")
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let handle = Handle::new();
        let otg_handle = Handle::new();
        let manager = Manager::start()?;
        let handles = vec![handle.clone(), otg_handle.clone()];
        tokio::spawn(end(handles, Arc::clone(&runs), suites, live, manager.clone())?);
        let (otg_scheme, otg_address) = (otg_listener.scheme(), otg_listener.address()?);
        tokio::spawn(otg_listener.serve(otg, otg_handle));
        println!("Open Traffic Generator API at {otg_scheme}://{otg_address}");
        let scheme = if tls.is_some() { "https" } else { "http" };
        println!("linerate serves {scheme}://{address}/api/v1/");
        println!("Open {scheme}://{address}/ in a browser");
        // Connections that come from here on wait for their turn.
        manager.ready();
        tokio::spawn(manager.live(runs));
        serve(listener, router, tls.map(RustlsConfig::from_config), handle).await
    })?;
    Ok(())
}

async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    macro_rules! served {
        ($server:expr) => {{
            let mut server = $server.handle(handle).http1_only();
            server
                .http_builder()
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_PATIENCE)
                .max_buf_size(HEAD);
            server.serve(router.into_make_service()).await
        }};
    }
    if let Some(tls) = tls {
        served!(axum_server::from_tcp_rustls(listener, tls)?)
    } else {
        served!(axum_server::from_tcp(listener)?)
    }
}

/// Waits for a signal, then ends the runs and suites, the streams and the requests, in this order.
fn end(
    handles: Vec<Handle<SocketAddr>>,
    runs: Arc<Runs>,
    suites: Arc<Suites>,
    live: Arc<Live>,
    manager: Manager,
) -> io::Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        let mut asked = async || tokio::select! { _ = term.recv() => (), _ = int.recv() => () };
        asked().await;
        manager.stopping();
        // Asked twice: the data plane ends what it does when the pipes close.
        let ended = async {
            tokio::join!(runs.stop_all(RUNS_PATIENCE), suites.stop_all(RUNS_PATIENCE));
        };
        tokio::select! { () = ended => (), () = asked() => () }
        live.close();
        for handle in &handles {
            handle.graceful_shutdown(Some(REQUESTS_PATIENCE));
        }
    })
}

/// What listens to clients needs no privilege, and no program that it might start does.
fn drop_privileges() -> Result<(), String> {
    use caps::CapSet;
    let told = |error: caps::errors::CapsError| error.to_string();
    nix::sys::prctl::set_no_new_privs().map_err(|error| error.to_string())?;
    caps::clear(None, CapSet::Ambient).map_err(told)?;
    // Needs CAP_SETPCAP; without it, no_new_privs alone keeps them from coming back.
    if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).unwrap_or(false) {
        caps::clear(None, CapSet::Bounding).map_err(told)?;
    }
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(told)?;
    }
    Ok(())
}
