//! Which CPU a worker runs on.

use crate::nic::{Capabilities, worker_cpus};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use std::{
    sync::mpsc::{self, Sender},
    thread::{self, JoinHandle},
};

/// The CPUs of this process, and which of them workers have.
pub(super) struct Cpus {
    allowed: Vec<usize>,
    taken: Vec<usize>,
    workers: usize,
}

impl Cpus {
    /// For so many workers in all.
    pub(super) fn of_process(workers: usize) -> Self {
        Self { allowed: allowed_cpus(), taken: Vec::new(), workers }
    }

    /// Whether workers have to share cores.
    pub(super) fn are_scarce(&self) -> bool {
        self.workers >= self.allowed.len()
    }

    /// The best CPU for one more worker of a port, away from its interrupts and near it.
    /// Where not every worker can have one of its own the scheduler spreads them better:
    /// `None`, unless the worker `must` stay on one. `place` spreads runs that know nothing
    /// of each other over the CPUs.
    pub(super) fn take(&mut self, port: &Capabilities, place: usize, must: bool) -> Option<usize> {
        if self.workers >= self.allowed.len().max(2) && !must {
            return None;
        }
        let cpus = worker_cpus(&self.allowed, port, place);
        let free = cpus.iter().find(|cpu| !self.taken.contains(cpu));
        let cpu = *free.or_else(|| cpus.first().filter(|_| must))?;
        self.taken.push(cpu);
        Some(cpu)
    }
}

/// The CPUs that this process may use: those of its main thread, for others may keep to fewer.
pub(super) fn allowed_cpus() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(Pid::this()) else { return Vec::new() };
    (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
}

type Work<R> = Box<dyn FnOnce() -> R + Send>;

/// A thread in its place that waits for its work. The kernel may take half a second to bring
/// it there: so that is over before the time of the first frame is set.
pub(super) struct Standby<R> {
    thread: JoinHandle<Option<R>>,
    work: Sender<Work<R>>,
}

impl<R: Send + 'static> Standby<R> {
    /// Returns when the thread is on its CPU.
    pub(super) fn new(name: String, cpu: Option<usize>) -> std::io::Result<Self> {
        let (ready, is_ready) = mpsc::channel();
        let (work, to_do) = mpsc::channel::<Work<R>>();
        let thread = thread::Builder::new().name(name).spawn(move || {
            // Without a CPU of its own it floats over all, whoever starts it.
            pin(&cpu.map_or_else(allowed_cpus, |cpu| vec![cpu]));
            let _ = ready.send(());
            to_do.recv().ok().map(|work| work())
        })?;
        // An error would mean that it has ended, which its handle tells as well.
        let _ = is_ready.recv();
        Ok(Self { thread, work })
    }

    /// What the work gives; `None`: there was none.
    pub(super) fn start(self, work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<Option<R>> {
        let _ = self.work.send(Box::new(work));
        self.thread
    }
}

/// Does some work on a CPU of the port's NUMA node, where one is known: memory that is touched
/// first there is of that node (Documentation/admin-guide/mm/numa_memory_policy.rst), and what
/// the NIC reads and writes shall not cross to another one.
pub(super) fn near<R: Send>(port: &Capabilities, work: impl FnOnce() -> R + Send) -> R {
    let allowed = allowed_cpus();
    let local = port.pci.iter().flat_map(|pci| pci.local_cpus.iter().copied());
    let local: Vec<usize> = local.filter(|cpu| allowed.contains(cpu)).collect();
    if local.is_empty() || local.len() == allowed.len() {
        return work();
    }
    // On a thread that ends with it: whoever called may go where it likes.
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            pin(&local);
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Keeps the calling thread to these; where that is refused it floats, which costs only evenness.
fn pin(cpus: &[usize]) {
    let mut set = CpuSet::new();
    if cpus.iter().all(|&cpu| set.set(cpu).is_ok()) {
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nic::{Interrupt, Pci};

    fn port(interrupts_on: Vec<usize>) -> Capabilities {
        let interrupt =
            Interrupt { irq: 40, rx_queues: vec![], tx_queues: vec![], cpus: interrupts_on };
        Capabilities { interrupts: vec![interrupt], ..Capabilities::default() }
    }

    fn cpus(allowed: &[usize], workers: usize) -> Cpus {
        Cpus { allowed: allowed.to_vec(), taken: vec![], workers }
    }

    #[test]
    fn work_near_a_port_is_done_on_its_node() {
        let allowed = allowed_cpus();
        let (&last, here) = (allowed.last().unwrap(), thread::current().id());
        let pci = Pci { numa_node: Some(0), local_cpus: vec![last, 4000], link: None };
        let port = Capabilities { pci: Some(pci), ..Capabilities::default() };
        let cpus = || sched_getaffinity(Pid::from_raw(0)).unwrap();
        if allowed.len() > 1 {
            let near = near(&port, cpus);
            assert!(allowed.iter().all(|&cpu| near.is_set(cpu).unwrap() == (cpu == last)));
        }
        // Where none is known, or every CPU is of it, nothing is gained.
        let one_node = Pci { numa_node: Some(0), local_cpus: allowed, link: None };
        for pci in [None, Some(one_node)] {
            let port = Capabilities { pci, ..Capabilities::default() };
            assert_eq!(near(&port, || thread::current().id()), here);
        }
    }

    #[test]
    fn no_two_workers_share_a_cpu_and_interrupts_have_theirs_as_long_as_they_can() {
        let mut cpus = cpus(&[0, 1, 2, 3], 3);
        let (west, east) = (port(vec![0]), port(vec![1]));
        let taken =
            [cpus.take(&west, 0, false), cpus.take(&east, 0, false), cpus.take(&west, 1, true)];
        assert_eq!(taken, [Some(1), Some(0), Some(2)]);
    }

    #[test]
    fn runs_on_other_ports_start_at_other_cpus() {
        let first = |place| cpus(&[4, 5, 6], 1).take(&Capabilities::default(), place, false);
        assert_eq!([0, 1, 2, 3].map(first), [Some(4), Some(5), Some(6), Some(4)]);
    }

    #[test]
    fn workers_that_have_to_share_are_left_to_the_scheduler() {
        let mut scarce = cpus(&[0, 1], 2);
        assert!(scarce.are_scarce());
        let mut take = |must| scarce.take(&Capabilities::default(), 0, must);
        assert_eq!(
            [take(false), take(true), take(true), take(true)],
            [None, Some(0), Some(1), Some(0)]
        );
        assert_eq!(cpus(&[0], 1).take(&Capabilities::default(), 0, false), Some(0));
    }
}
