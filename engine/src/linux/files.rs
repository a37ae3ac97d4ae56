//! Files and file systems.

use rustix::{
    fs::{FallocateFlags, fallocate, fstatfs},
    io::Errno,
};
use std::{fs::File, io};

/// File systems whose `flock` other machines do not see, by the magic number of `statfs`.
const REMOTE: [(u32, &str); 4] =
    [(0x6969, "NFS"), (0xff53_4d42, "CIFS"), (0xfe53_4d42, "SMB"), (0x517b, "SMB")];

/// Reserves room for the first `bytes` of a file; its size stays as it is. A file system that
/// cannot reserve gives no promise, which is no error.
pub fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The kind of remote file system a file is on; none where it is a local one.
pub fn remote(file: &File) -> io::Result<Option<&'static str>> {
    // The width of `f_type` differs by platform; the magic numbers are 32 bits wide.
    let magic = fstatfs(file)?.f_type as u32;
    Ok(REMOTE.iter().find(|(number, _)| *number == magic).map(|(_, kind)| *kind))
}
