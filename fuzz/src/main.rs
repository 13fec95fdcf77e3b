//! `fuzz-corpus unpack TARGET DIR` puts each input that is kept for a target into a file of its own, as libFuzzer wants
//! them; `fuzz-corpus pack TARGET DIR` keeps those of a directory; `fuzz-corpus targets` lists the targets.

use std::error::Error;
use std::fs;
use std::path::Path;

use fuzz::corpus;

/// No input that is kept is longer: what it shows, a shorter one does.
const MAX_KEPT_BYTES: usize = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["targets"] => fuzz::TARGETS.iter().for_each(|target| println!("{}", target.name)),
        ["unpack", target, directory] => {
            fs::create_dir_all(directory)?;
            for (number, input) in corpus::kept(target)?.into_iter().enumerate() {
                fs::write(Path::new(directory).join(format!("kept-{number:04}")), input)?;
            }
        }
        ["pack", target, directory] => {
            let files = fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
            let mut inputs = files.iter().map(|file| fs::read(file.path())).collect::<Result<Vec<_>, _>>()?;
            inputs.retain(|input| input.len() <= MAX_KEPT_BYTES);
            fs::write(corpus::file(target), corpus::write(&inputs))?;
        }
        _ => return Err("targets | unpack TARGET DIRECTORY | pack TARGET DIRECTORY".into()),
    }
    Ok(())
}
