//! The clock of one process, set back and forth while it runs: the time of day alone, as when an operator or NTP sets it.
//! The clock of the machine is everybody's, and no namespace has a time of day of its own.
//!
//! A program asks for the time in the vDSO, a page of code that the kernel gives to each process. In there is put what asks
//! the kernel and adds a number, which is beside it and is written at every setting.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol};

/// `clock_gettime` of amd64: the call; unless it failed or was for another clock than the time of day, the number after
/// this code is added to the seconds.
#[rustfmt::skip]
const CODE: [u8; 32] = [
    0xb8, 0xe4, 0, 0, 0,             // mov eax, SYS_clock_gettime
    0x0f, 0x05,                      // syscall
    0x09, 0xc7,                      // or edi, eax
    0x75, 0x0a,                      // jnz the end
    0x48, 0x8b, 0x0d, 14, 0, 0, 0,   // mov rcx, [rip + 14]: the number
    0x48, 0x01, 0x0e,                // add [rsi], rcx
    0xc3,                            // the end: ret
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    // the number is written at once where it is aligned
];

/// The clock of a process.
pub struct SetClock {
    memory: File,
    ahead: u64,
}

impl SetClock {
    /// The clock of the process `id`, as it is. `None` where that cannot be had: on other processors, without a vDSO, and where
    /// a process may not write to the memory of its children.
    ///
    /// # Panics
    /// When the process has ended.
    #[must_use]
    pub fn of(id: u32) -> Option<Self> {
        if !cfg!(target_arch = "x86_64") {
            return None;
        }
        let maps = fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
        let range = maps.lines().find(|line| line.ends_with("[vdso]"))?.split(' ').next()?;
        let (start, end) = range.split_once('-')?;
        let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
        let memory = File::options().read(true).write(true).open(format!("/proc/{id}/mem")).ok()?;
        let mut image = vec![0; usize::try_from(end - start).ok()?];
        memory.read_exact_at(&mut image, start).ok()?;
        let elf = ElfFile64::<object::LittleEndian>::parse(image.as_slice()).ok()?;
        let function = elf.dynamic_symbols().find(|symbol| symbol.name() == Ok("__vdso_clock_gettime"))?;
        let at = start + function.address();
        let room = usize::try_from(function.size()).ok()? >= CODE.len() + 8;
        let clock = Self { memory, ahead: at + u64::try_from(CODE.len()).ok()? };
        let put = || clock.memory.write_all_at(&[&CODE[..], &[0; 8]].concat(), at).is_ok();
        (room && stopped_outside(id, at..at + function.size(), put)?).then_some(clock)
    }

    /// Sets it so many seconds ahead of the machine's, or behind it.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn set(&self, ahead: i64) {
        self.memory.write_all_at(&ahead.to_le_bytes(), self.ahead).unwrap();
    }
}

/// What `act` says while the process is stopped and no thread of it is in `code`; `None` if one always is.
fn stopped_outside<R>(id: u32, code: Range<u64>, act: impl Fn() -> R) -> Option<R> {
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &id.to_string()]).status().unwrap().success());
    };
    for _ in 0..100 {
        signal("-STOP");
        while !threads(id, "stat").iter().all(|line| state(line) == Some("T")) {
            sleep(Duration::from_millis(1));
        }
        // Of a stopped thread: the call that it is in or -1, and where it continues at the end of the line.
        let places: Vec<u64> = threads(id, "syscall").iter().filter_map(|line| place(line)).collect();
        let outside = !places.is_empty() && !places.iter().any(|place| code.contains(place));
        let acted = outside.then(&act);
        signal("-CONT");
        if acted.is_some() {
            return acted;
        }
    }
    None
}

/// This file of each thread.
fn threads(id: u32, file: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap();
    // A thread may end while we look.
    tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join(file)).ok()).collect()
}

fn state(stat: &str) -> Option<&str> {
    stat.rsplit_once(") ")?.1.split(' ').next()
}

fn place(syscall: &str) -> Option<u64> {
    u64::from_str_radix(syscall.trim().rsplit_once(" 0x")?.1, 16).ok()
}
