//! Which tests run at once. Most of a test is waiting for frames that are due later, so the
//! tier starts more tests than the machine could bear, and they take turns here.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Tests that run at once.
const TOGETHER: u32 = 6;
/// Those beside one that wants much of the machine.
const BESIDE: u32 = 3;

struct Machine {
    running: u32,
    much_taken: bool,
    much_wanted: u32,
}

static MACHINE: Mutex<Machine> =
    Mutex::new(Machine { running: 0, much_taken: false, much_wanted: 0 });
static CHANGED: Condvar = Condvar::new();

thread_local! {
    /// The turn of this thread's test; it ends with the thread, however the test ends.
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

enum Turn {
    /// Beside others.
    Part,
    Much,
}

impl Drop for Turn {
    fn drop(&mut self) {
        change(|machine| match self {
            Self::Part => machine.running -= 1,
            Self::Much => machine.much_taken = false,
        });
    }
}

/// Waits for a turn, unless this test has one. Threads that a test starts, to which the runner
/// gave no name, belong to it.
pub(super) fn take_part() {
    if thread::current().name().is_none() {
        return;
    }
    TURN.with_borrow_mut(|turn| {
        turn.get_or_insert_with(|| {
            let mut machine = wait_while(|machine| {
                let much = machine.much_taken || machine.much_wanted > 0;
                machine.running >= if much { BESIDE } else { TOGETHER }
            });
            machine.running += 1;
            Turn::Part
        });
    });
}

/// Held by tests that want much of the machine, so that they do not want it at once.
#[must_use]
#[derive(Debug)]
pub(crate) struct MuchOfTheMachine {
    of_this_thread: PhantomData<*const ()>,
}

impl Drop for MuchOfTheMachine {
    fn drop(&mut self) {
        TURN.take();
    }
}

/// Waits until no other test has much of the machine and few others run.
pub(crate) fn much_of_the_machine() -> MuchOfTheMachine {
    TURN.with_borrow_mut(|turn| {
        // Two that wait for each other must have nothing that the other waits for.
        *turn = None;
        change(|machine| machine.much_wanted += 1);
        let mut machine = wait_while(|machine| machine.much_taken || machine.running > BESIDE);
        machine.much_wanted -= 1;
        machine.much_taken = true;
        *turn = Some(Turn::Much);
    });
    MuchOfTheMachine { of_this_thread: PhantomData }
}

fn wait_while(mut wanted: impl FnMut(&Machine) -> bool) -> MutexGuard<'static, Machine> {
    let machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    CHANGED.wait_while(machine, |machine| wanted(machine)).unwrap_or_else(PoisonError::into_inner)
}

fn change(change: impl FnOnce(&mut Machine)) {
    change(&mut MACHINE.lock().unwrap_or_else(PoisonError::into_inner));
    CHANGED.notify_all();
}
