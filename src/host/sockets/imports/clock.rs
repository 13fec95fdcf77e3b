//! Time, sleep and random numbers.

use std::time::Duration;

use super::check;
use crate::host::sockets::kernel::Errno;

/// Shortest sleep. The host turns the span into a deadline and then computes the time left. If its thread is off the
/// processor between the two for longer than the span and a millisecond, the time left is negative, which its poll takes
/// as no timeout: the request hangs forever and holds a thread. When 50 instances fetched on two saturated cores, one of
/// 10,000 requests hung with sleeps of 2 ms, and again with 20 ms. So sleeps are long and few: what may be there in a
/// moment is polled after [`yield_now`].
const SHORTEST_SLEEP: Duration = Duration::from_millis(50);

#[repr(C)]
struct Subscription {
    user_data: u64,
    tag: u8,
    clock: SubscriptionClock,
}

/// A separate struct, since it begins at byte 16 regardless of what stands before it.
#[repr(C)]
struct SubscriptionClock {
    id: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
}

#[repr(C)]
#[derive(Default)]
struct Event {
    user_data: u64,
    error: u16,
    tag: u8,
    bytes: u64,
    flags: u16,
}

// The host reads and writes these by offset.
const _: () = assert!(size_of::<Subscription>() == 48 && std::mem::offset_of!(Subscription, clock) == 16);

const _: () = assert!(std::mem::offset_of!(SubscriptionClock, timeout) == 8 && size_of::<Event>() == 32);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut Event,
        count: i32,
        returned: *mut u32,
    ) -> i32;
    fn sched_yield() -> i32;
    fn clock_time_get(clock: i32, precision: u64, time: *mut u64) -> i32;
    fn random_get(buffer: *mut u8, length: usize) -> i32;
}

/// Nanoseconds of the process's monotonic clock: one base for all instances.
pub(crate) fn monotonic_nanos() -> u64 {
    let mut time = 0;
    // SAFETY: the host writes a u64 to a local.
    let errno = unsafe { clock_time_get(1, 1, &raw mut time) };
    // It cannot fail with this clock; the largest time ends every wait.
    if errno == 0 { time } else { u64::MAX }
}

/// An unpredictable number.
pub(crate) fn random() -> Result<u32, Errno> {
    let mut bytes = [0; 4];
    // SAFETY: the host writes as many bytes as the array has.
    check(unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) })?;
    Ok(u32::from_le_bytes(bytes))
}

/// Sleeps for `span`, at least [`SHORTEST_SLEEP`]. Holds a thread of the host meanwhile.
pub(crate) fn sleep(span: Duration) {
    let timeout = u64::try_from(span.max(SHORTEST_SLEEP).as_nanos()).unwrap_or(u64::MAX);
    let clock = SubscriptionClock { id: 1, timeout, precision: 0, flags: 0 };
    let subscription = Subscription { user_data: 0, tag: 0, clock };
    let mut event = Event::default();
    let mut returned = 0;
    // SAFETY: one subscription to read and room for one event, both locals.
    let errno = unsafe { poll_oneoff(&raw const subscription, &raw mut event, 1, &raw mut returned) };
    if errno != 0 {
        // The host has no descriptors left for its pipe: yielding is better than failing.
        yield_now();
    }
}

/// Lets another request of this process run first.
pub(crate) fn yield_now() {
    // SAFETY: takes nothing; it cannot fail.
    unsafe { sched_yield() };
}
