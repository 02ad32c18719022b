//! What systemd is told, where it started the daemon: sd_notify(3).

use super::runs::Runs;
use sd_notify::{NotifyState, notify};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

/// The way to systemd. A thread of its own speaks: one that does not listen holds up nobody.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    words: SyncSender<NotifyState<'static>>,
}

/// Words that wait until systemd takes them; beyond that they are not said.
const WAITING: usize = 4;

impl Manager {
    /// Starts the thread.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn start() -> io::Result<Self> {
        let (words, said) = sync_channel(WAITING);
        thread::Builder::new().name("systemd".into()).spawn(move || {
            for word in said {
                if let Err(error) = notify(&[word]) {
                    eprintln!("systemd cannot be told ({error}); is NOTIFY_SOCKET right?");
                }
            }
        })?;
        Ok(Self { words })
    }

    /// Clients are served from now on.
    pub(super) fn ready(&self) {
        self.tell(NotifyState::Ready);
    }

    /// The daemon ends.
    pub(super) fn stopping(&self) {
        self.tell(NotifyState::Stopping);
    }

    /// Gives signs of life as often as they are asked for (`WatchdogSec=`): for as long as
    /// requests get their turn, and there is a data plane to serve.
    pub(super) async fn live(self, runs: Arc<Runs>) {
        let Some(limit) = sd_notify::watchdog_enabled() else { return };
        // Two may be late.
        let mut turn = tokio::time::interval(limit / 3);
        loop {
            turn.tick().await;
            if runs.engine().is_ok_and(|engine| engine.gone().is_none()) {
                self.tell(NotifyState::Watchdog);
            }
        }
    }

    fn tell(&self, word: NotifyState<'static>) {
        // Full: it does not listen, and would not hear this either.
        let _ = self.words.try_send(word);
    }
}
