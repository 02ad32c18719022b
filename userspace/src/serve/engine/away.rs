//! Threads that do not send keep away from the CPUs of those that do.

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use std::{
    collections::HashMap,
    fs,
    sync::{Mutex, PoisonError},
};

/// The CPUs that runs send from, and where this process's own threads may be therefore.
#[derive(Debug, Default)]
pub(super) struct Away {
    senders: Mutex<HashMap<u64, Vec<usize>>>,
}

impl Away {
    /// A run is about to send from these.
    pub(super) fn begin(&self, run: u64, cpus: &[usize]) {
        self.change(|senders| drop(senders.insert(run, cpus.to_vec())));
    }

    /// A run is over.
    pub(super) fn end(&self, run: u64) {
        self.change(|senders| drop(senders.remove(&run)));
    }

    /// All runs are over.
    pub(super) fn end_all(&self) {
        self.change(HashMap::clear);
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<u64, Vec<usize>>)) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut senders);
        let taken: Vec<_> = senders.values().flatten().copied().collect();
        // The main thread has next to nothing to do, and keeps what the process may use.
        let Ok(all) = sched_getaffinity(Pid::this()) else { return };
        let own = without(&all, &taken);
        for thread in threads().filter(|thread| *thread != Pid::this().as_raw()) {
            // It may just have ended; where it is refused, only evenness is lost.
            let _ = sched_setaffinity(Pid::from_raw(thread), &own);
        }
    }
}

/// All but these; all, if nothing would be left.
fn without(all: &CpuSet, taken: &[usize]) -> CpuSet {
    let is_left = |cpu: &usize| all.is_set(*cpu).unwrap_or(false) && !taken.contains(cpu);
    let mut own = CpuSet::new();
    let mut left = (0..CpuSet::count()).filter(is_left).peekable();
    if left.peek().is_none() {
        return *all;
    }
    for cpu in left {
        // It is within the set that it was found in.
        let _ = own.set(cpu);
    }
    own
}

/// Every thread of this process that does not send.
fn threads() -> impl Iterator<Item = i32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.filter_map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let number = task.file_name().to_str()?.parse().ok()?;
        (!name.starts_with("tx-")).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cpus: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        for &cpu in cpus {
            set.set(cpu).unwrap();
        }
        set
    }

    #[test]
    fn what_is_left_is_used_and_if_nothing_is_all() {
        let all = set(&[0, 1, 5]);
        assert_eq!(without(&all, &[1]), set(&[0, 5]));
        assert_eq!(without(&all, &[7]), all);
        assert_eq!(without(&all, &[0, 1, 5]), all);
    }

    #[test]
    fn threads_move_when_a_run_begins_and_come_back_when_it_is_over() {
        let main = sched_getaffinity(Pid::this()).unwrap();
        let cpus: Vec<_> = (0..CpuSet::count()).filter(|&cpu| main.is_set(cpu).unwrap()).collect();
        if cpus.len() < 2 {
            return println!("one CPU: there is no other to move to");
        }
        let away = Away::default();
        let mine = || sched_getaffinity(Pid::from_raw(0)).unwrap();
        away.begin(1, &cpus[..1]);
        assert!(!mine().is_set(cpus[0]).unwrap() && mine().is_set(cpus[1]).unwrap());
        away.begin(2, &cpus[1..]);
        assert_eq!(mine(), main, "all CPUs send: they are shared");
        away.end(1);
        assert!(mine().is_set(cpus[0]).unwrap() && !mine().is_set(cpus[1]).unwrap());
        away.end_all();
        assert_eq!(mine(), main);
    }
}
