//! Captures: pcapng in memory, up to a limit, read part by part.

use super::{
    protocol::{Answer, CaptureCounts, CaptureStart, EngineError, Event, Holder, Line},
    worker::{Shared, refusal},
};
use crate::session::{CaptureEnd, CaptureSession, CaptureSpec, SessionError};
use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{self, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Every capture that was not dropped, by number.
#[derive(Debug, Default)]
pub(super) struct Captures(Mutex<HashMap<u64, Capture>>);

#[derive(Debug)]
struct Capture {
    stop: Arc<AtomicBool>,
    file: Arc<Mutex<Vec<u8>>>,
}

/// The file as the session writes it; it ends the capture when it is full.
struct Room {
    file: Arc<Mutex<Vec<u8>>>,
    octets: u64,
    stop: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
}

/// What the blocks at the end of a file may take.
const END_OCTETS: u64 = 4096;

impl Write for Room {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut file = lock(&self.file);
        let after = (file.len() + octets.len()) as u64;
        if after > self.octets {
            self.full.store(true, Relaxed);
            self.stop.store(true, Relaxed);
        }
        if after > self.octets + END_OCTETS {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the capture is full"));
        }
        file.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captures {
    /// A capture's whole life, on the thread that it is called on.
    pub(super) fn main(
        &self,
        shared: &Arc<Shared>,
        start: &CaptureStart,
        answer: &dyn Fn(Result<Answer, EngineError>),
    ) {
        let number = start.capture;
        let ports = [start.port.clone()];
        let taken = if start.beside {
            Ok(None)
        } else {
            shared.take_ports(&ports, Holder::Capture(number)).map(Some)
        };
        let opened = taken.and_then(|taken| Ok((taken, open(start)?)));
        let (taken, session) = match opened {
            Ok(opened) => opened,
            Err(error) => return answer(Err(error)),
        };
        let (stop, file) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let capture = Capture { stop: Arc::clone(&stop), file: Arc::clone(&file) };
        lock(&self.0).insert(number, capture);
        answer(Ok(Answer::Done));
        let full = Arc::<AtomicBool>::default();
        let room = Room {
            file: Arc::clone(&file),
            octets: start.octets,
            stop: Arc::clone(&stop),
            full: Arc::clone(&full),
        };
        let ended = session.run(room, &stop);
        drop(taken);
        let file_bytes = lock(&file).len() as u64;
        let (counts, mut fault) = match ended {
            Ok(end) => (counts(&end, file_bytes), end.fault),
            Err(error) => {
                (CaptureCounts { file_bytes, ..CaptureCounts::default() }, Some(error.to_string()))
            }
        };
        if full.load(Relaxed) {
            fault = Some(format!("the capture is full: {} octets are kept at most", start.octets));
        }
        shared.say(Line::Event(Event::CaptureDone { capture: number, counts, fault }));
    }

    pub(super) fn stop(&self, number: u64) -> Result<Answer, EngineError> {
        self.with(number, |capture| {
            capture.stop.store(true, Relaxed);
            Answer::Done
        })
    }

    pub(super) fn read(
        &self,
        number: u64,
        offset: u64,
        octets: u32,
    ) -> Result<Answer, EngineError> {
        self.with(number, |capture| {
            let file = lock(&capture.file);
            let from = (offset as usize).min(file.len());
            let part = &file[from..file.len().min(from + octets as usize)];
            let mut digits = String::with_capacity(part.len() * 2);
            for octet in part {
                // Writing to a String cannot fail.
                let _ = write!(digits, "{octet:02x}");
            }
            Answer::Octets(digits)
        })
    }

    pub(super) fn forget(&self, number: u64) -> Result<Answer, EngineError> {
        let stopped = self.stop(number);
        lock(&self.0).remove(&number);
        stopped
    }

    pub(super) fn stop_all(&self) {
        lock(&self.0).values().for_each(|capture| capture.stop.store(true, Relaxed));
    }

    fn with(&self, number: u64, act: impl Fn(&Capture) -> Answer) -> Result<Answer, EngineError> {
        let unknown = || EngineError::Unknown { what: "capture".into(), number };
        lock(&self.0).get(&number).map(act).ok_or_else(unknown)
    }
}

fn open(start: &CaptureStart) -> Result<CaptureSession, EngineError> {
    let invalid =
        |place: &str, message: String| EngineError::Invalid { place: place.into(), message };
    let filter = start.filter.as_ref().map(|text| Ok((text.parse()?, text.clone())));
    let filter = filter
        .transpose()
        .map_err(|error: crate::packet::FilterError| invalid("filter", error.to_string()))?;
    let refused = |error: SessionError| refusal(&error);
    let how = if start.beside { CaptureSession::beside } else { CaptureSession::open };
    how(CaptureSpec {
        port: start.port.parse().map_err(|error: crate::nic::NicError| refused(error.into()))?,
        snap_bytes: start.snap as usize,
        filter,
        count: start.count,
        duration: start.duration_ns.map(Duration::from_nanos),
    })
    .map_err(refused)
}

fn counts(end: &CaptureEnd, file_bytes: u64) -> CaptureCounts {
    CaptureCounts {
        written_frames: end.counts.written,
        received_frames: end.counts.received,
        interface_dropped_frames: end.counts.interface_dropped,
        kernel_dropped_frames: end.counts.kernel_dropped,
        file_bytes,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
