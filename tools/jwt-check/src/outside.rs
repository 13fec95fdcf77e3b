//! The machine, as the command sees it.

/// What the command needs of the machine.
pub trait Outside {
    /// The content of a file, or of standard input for `-`.
    ///
    /// # Errors
    /// Why not, in words.
    fn read(&self, name: &str) -> Result<Vec<u8>, String>;
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// Seconds since 1970.
    fn now(&self) -> u64;
}
