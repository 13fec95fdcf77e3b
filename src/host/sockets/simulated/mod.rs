//! A host for many instances, natively: a thread is an instance, and one of them runs at a time. Every call of the
//! kernel is a point at which a seed decides which instance runs next, and whether the call suffers a fault. Time is a
//! number that calls and sleeps advance, so hours pass in milliseconds, and a seed always gives the same run.

mod kernel;
mod holder;
mod runs;

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use super::kernel::{Flag, SocketName};

/// The kernel of the instance that runs in this thread.
pub(crate) struct Simulated;

/// Most calls of one run, far more than needed: instances that wait for each other forever reach it.
const MOST_CALLS: u64 = 400_000;

/// Faults that an instance does not cause itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A datagram that was sent does not arrive.
    Lost,
    /// It arrives twice.
    Doubled,
    /// Other bytes of the same length arrive in its place.
    Scrambled,
    /// Nothing is sent: the host took a foreign length.
    TooLong,
    /// Received bytes land in the buffer of another instance.
    Elsewhere,
    /// A datagram of another process arrives.
    Foreign,
    /// The instance traps in the middle of a request, and lives on with its memory unchanged.
    Trap,
    /// The thread of the instance is off the processor for long.
    LostTime,
}

/// Random numbers that a seed determines (SplitMix64, Steele et al. 2014).
#[derive(Clone, Debug)]
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Ready,
    SleepsUntil(u64),
    /// Until the socket has a datagram, or is shut down.
    ReceivesFrom(usize),
    AwaitsFirst,
    AwaitsOthers,
    Ended,
}

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    StandardStream,
    Socket(usize),
}

#[derive(Debug, Default)]
struct Socket {
    name: u64,
    peer: u64,
    /// Sender and bytes.
    queue: VecDeque<(u64, Vec<u8>)>,
    blocking: bool,
    shut: bool,
    send_buffer: u32,
    receive_buffer: u32,
    flags: Vec<Flag>,
}

/// What differs from run to run.
struct Plan {
    seed: u64,
    instances: usize,
    faults: Vec<Fault>,
    /// Most faults of the run.
    budget: usize,
    /// What another process sends.
    foreign: fn(u64) -> Vec<u8>,
}

struct State {
    plan: Plan,
    random: Seeded,
    clock: u64,
    calls: u64,
    /// One call in so many lets another instance run.
    switches: u64,
    /// Once in so many calls an instance traps.
    trap_in: u64,
    running: usize,
    instances: Vec<Status>,
    /// Descriptors. The first one that is closed is opened next.
    table: Vec<Option<Open>>,
    sockets: Vec<Socket>,
    /// The first instance is ready: others are born, and faults happen.
    begun: bool,
    injected: Vec<Fault>,
    /// Nanoseconds, of all and of each instance.
    lost_time: u64,
    lost_by: Vec<u64>,
    failure: Option<String>,
}

struct World {
    state: Mutex<State>,
    turns: Vec<Condvar>,
}

/// How an instance that traps unwinds.
struct Trapped;
/// How all others unwind after a failure.
struct Abandoned;

thread_local! {
    static INSTANCE: RefCell<Option<(Arc<World>, usize)>> = const { RefCell::new(None) };
}

fn instance() -> (Arc<World>, usize) {
    INSTANCE.with(|instance| instance.borrow().clone()).unwrap()
}

/// The outcome of a call.
enum Outcome<R> {
    Done(R),
    /// Again, when the status allows it.
    Blocked(Status),
}

/// One call of the kernel: `act` on the state, for the longest time of `cost` nanoseconds.
fn call<R>(cost: u64, mut act: impl FnMut(&mut State, usize) -> Outcome<R>) -> R {
    let (world, me) = instance();
    let mut state = world.state.lock().unwrap();
    state.calls += 1;
    state.clock += 1 + state.random.below(cost);
    if state.calls > MOST_CALLS {
        state.fail("no end: instances wait for each other".to_owned());
    }
    let trap_in = state.trap_in;
    if state.suffers(Fault::Trap, trap_in) {
        drop(state);
        resume_unwind(Box::new(Trapped));
    }
    if state.suffers(Fault::LostTime, 40) {
        let lost = 500_000_000 + state.random.below(6_000_000_000);
        state.lost_time += lost;
        state.lost_by[me] += lost;
        state.instances[me] = Status::SleepsUntil(state.clock + lost);
        state = world.pass_on(state, me);
    }
    loop {
        match act(&mut state, me) {
            Outcome::Done(result) => {
                drop(world.pass_on(state, me));
                return result;
            }
            Outcome::Blocked(status) => {
                state.instances[me] = status;
                state = world.pass_on(state, me);
            }
        }
    }
}

impl State {
    fn new(plan: Plan) -> Self {
        let mut random = Seeded(plan.seed);
        let switches = [1, 2, 8, 32][usize::try_from(random.below(4)).unwrap()];
        let trap_in = [15, 60, 300][usize::try_from(random.below(3)).unwrap()];
        Self {
            random,
            trap_in,
            clock: 1_000_000_000_000,
            calls: 0,
            switches,
            running: 0,
            // The last one comes when all others have ended.
            instances: vec![Status::Ready; plan.instances],
            table: vec![Some(Open::StandardStream); 3],
            sockets: Vec::new(),
            begun: false,
            injected: Vec::new(),
            lost_time: 0,
            lost_by: vec![0; plan.instances],
            failure: None,
            plan,
        }
    }

    fn fail(&mut self, text: String) {
        self.failure.get_or_insert(text);
    }

    /// Whether `fault` happens now: once in `rarity` calls that it can happen to, as long as the plan has it.
    fn suffers(&mut self, fault: Fault, rarity: u64) -> bool {
        let happens = self.begun
            && self.plan.faults.contains(&fault)
            && self.injected.len() < self.plan.budget
            && self.random.one_in(rarity);
        if happens {
            self.injected.push(fault);
        }
        happens
    }

    fn may_run(&self, instance: usize) -> bool {
        match self.instances[instance] {
            Status::Ready => true,
            Status::SleepsUntil(time) => time <= self.clock,
            Status::ReceivesFrom(socket) => {
                self.sockets[socket].shut || !self.sockets[socket].queue.is_empty()
            }
            Status::AwaitsFirst => self.begun,
            Status::AwaitsOthers => {
                // Those that are blocked are woken by the one that comes.
                self.instances.iter().enumerate().all(|(at, status)| match status {
                    Status::ReceivesFrom(_) => !self.may_run(at),
                    Status::Ended => true,
                    Status::AwaitsOthers => at == instance,
                    Status::Ready | Status::SleepsUntil(_) | Status::AwaitsFirst => false,
                })
            }
            Status::Ended => false,
        }
    }

    /// The instance that runs next; `None` at the end.
    fn next(&mut self, me: usize) -> Option<usize> {
        let all = 0..self.instances.len();
        if self.failure.is_some() {
            return all.clone().find(|at| self.instances[*at] != Status::Ended);
        }
        if self.may_run(me) && !self.random.one_in(self.switches) {
            return Some(me);
        }
        let mut able: Vec<usize> = all.clone().filter(|at| self.may_run(*at)).collect();
        if able.is_empty() {
            let times = self.instances.iter().filter_map(|status| match status {
                Status::SleepsUntil(time) => Some(*time),
                Status::Ready | Status::AwaitsFirst | Status::AwaitsOthers | Status::Ended => None,
                Status::ReceivesFrom(_) => None,
            });
            let Some(time) = times.min() else {
                if self.instances.iter().any(|status| *status != Status::Ended) {
                    self.fail(format!("deadlock: {:?}", self.instances));
                }
                return all.clone().find(|at| self.instances[*at] != Status::Ended);
            };
            self.clock = self.clock.max(time);
            able = all.filter(|at| self.may_run(*at)).collect();
        }
        let at = usize::try_from(self.random.below(able.len().try_into().unwrap())).unwrap();
        Some(able[at])
    }
}

impl World {
    /// Lets the next instance run, and returns when it is the turn of `me`.
    fn pass_on<'w>(&'w self, mut state: MutexGuard<'w, State>, me: usize) -> MutexGuard<'w, State> {
        if let Some(next) = state.next(me) {
            state.running = next;
            if next != me {
                self.turns[next].notify_one();
                state = self.wait(state, me);
            }
        }
        if state.failure.is_some() {
            drop(state);
            resume_unwind(Box::new(Abandoned));
        }
        state.instances[me] = Status::Ready;
        state
    }

    fn wait<'w>(&'w self, state: MutexGuard<'w, State>, me: usize) -> MutexGuard<'w, State> {
        self.turns[me].wait_while(state, |state| state.running != me).unwrap()
    }

    fn live(self: &Arc<Self>, me: usize, life: &(dyn Fn(usize) + Sync)) {
        drop(self.wait(self.state.lock().unwrap(), me));
        INSTANCE.set(Some((Arc::clone(self), me)));
        let ended = if self.state.lock().unwrap().failure.is_none() {
            catch_unwind(AssertUnwindSafe(|| life(me)))
        } else {
            Ok(())
        };
        let mut state = self.state.lock().unwrap();
        match ended {
            Err(payload) if !payload.is::<Abandoned>() => state.fail(describe(payload.as_ref())),
            Ok(()) | Err(_) => {}
        }
        state.instances[me] = Status::Ended;
        if let Some(next) = state.next(me) {
            state.running = next;
            self.turns[next].notify_one();
        }
    }
}

fn describe(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Runs `life` in every instance of `plan`, each with its number, until all have ended.
fn run(plan: Plan, life: &(dyn Fn(usize) + Sync)) -> Result<(), String> {
    let turns = (0..plan.instances).map(|_| Condvar::new()).collect();
    let world = Arc::new(World { state: Mutex::new(State::new(plan)), turns });
    thread::scope(|scope| {
        for me in 0..world.turns.len() {
            let world = Arc::clone(&world);
            scope.spawn(move || world.live(me, life));
        }
    });
    let failure = world.state.lock().unwrap().failure.take();
    failure.map_or(Ok(()), Err)
}

/// Runs `test` in the only instance of a host without faults.
pub(super) fn alone(test: impl Fn() + Sync) {
    let plan = Plan { seed: 0, instances: 1, faults: Vec::new(), budget: 0, foreign: |_| Vec::new() };
    run(plan, &|_| test()).unwrap();
}

/// The same where another process sends to each socket before it is connected.
pub(super) fn among_others(test: impl Fn() + Sync) {
    let plan = Plan {
        seed: 0,
        instances: 1,
        faults: vec![Fault::Foreign],
        budget: 0,
        foreign: |_| b"foreign".to_vec(),
    };
    run(plan, &|_| test()).unwrap();
}

/// Whether `request` ended without a trap. The instance lives on in either case.
fn survives(request: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(request)) {
        Ok(()) => true,
        Err(payload) if payload.is::<Trapped>() => false,
        Err(payload) => resume_unwind(payload),
    }
}

/// Lets the other instances be born.
fn begin() {
    call(1, |state, _| {
        state.begun = true;
        Outcome::Done(())
    });
}

/// Returns when the first instance is ready.
fn await_first() {
    call(1, |state, _| if state.begun { Outcome::Done(()) } else { Outcome::Blocked(Status::AwaitsFirst) });
}

/// Returns when nothing goes on without this instance. From then on there are no faults.
fn await_others() {
    let mut awaited = false;
    call(1, |state, _| {
        if std::mem::replace(&mut awaited, true) {
            state.plan.faults.clear();
            Outcome::Done(())
        } else {
            Outcome::Blocked(Status::AwaitsOthers)
        }
    });
}

/// Instances that have not ended.
fn living() -> usize {
    let (world, _) = instance();
    let state = world.state.lock().unwrap();
    state.instances.iter().filter(|status| **status != Status::Ended).count()
}

/// Nanoseconds of the simulated time, without a call.
fn clock() -> u64 {
    let (world, _) = instance();
    let state = world.state.lock().unwrap();
    state.clock
}

/// How many nanoseconds an instance has lost.
fn lost_by(instance_number: usize) -> u64 {
    let (world, _) = instance();
    let state = world.state.lock().unwrap();
    state.lost_by[instance_number]
}

/// The faults of this run up to now, and nanoseconds that were lost.
fn faults() -> (Vec<Fault>, u64) {
    let (world, _) = instance();
    let state = world.state.lock().unwrap();
    (state.injected.clone(), state.lost_time)
}

/// A number from the seed, below `end`.
fn below(end: u64) -> u64 {
    let (world, _) = instance();
    let mut state = world.state.lock().unwrap();
    state.random.below(end)
}

fn name(number: u64) -> SocketName {
    let mut name = SocketName::EMPTY;
    name.address[..8].copy_from_slice(&number.to_le_bytes());
    name
}
