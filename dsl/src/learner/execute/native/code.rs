//! Memory for machine code.
//!
//! Invariant: a piece of code stays as it was written until [`Code::room`] is asked for anew, and a
//! piece is run by the thread that wrote it, or behind what hands an executor to another.
//!
//! One mapping that can be written and run at the same address, so that the CPU itself sees to it
//! that what was written is what is run: no call of the system for a learner. It is used as a ring,
//! so that what is written next has been out of the instruction cache for long.

use std::ptr::NonNull;

/// One mapping.
#[derive(Debug)]
pub(super) struct Code {
    start: NonNull<u8>,
    /// Where the next piece begins.
    at: usize,
}

/// A piece of code: where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece(usize);

/// What a piece is called with: the middle of what the learner keeps, the first example, the first
/// prediction, the number of examples.
type Function = extern "sysv64" fn(*const u8, *const u8, *const u8, usize);

/// The longest piece.
pub(super) const MOST: usize = 1 << 16;

/// Of more than three pieces, so that none takes the place of the one before it.
const LENGTH: usize = 1 << 18;

#[allow(unsafe_code)]
// SAFETY: the mapping belongs to this value alone and is bound to no thread.
unsafe impl Send for Code {}

impl Code {
    /// `None` where the system refuses memory that can be written and run.
    #[allow(unsafe_code)]
    pub(super) fn new() -> Option<Code> {
        let access = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address of the system's choice touches no memory in use.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), LENGTH, access, kind, -1, 0) };
        let start = (start != libc::MAP_FAILED).then_some(start)?;
        Some(Code { start: NonNull::new(start.cast())?, at: 0 })
    }

    /// Room for the next piece.
    #[allow(unsafe_code)]
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.at + MOST > LENGTH {
            self.at = 0;
        }
        // SAFETY: these bytes are within the mapping, which zeros fill in the beginning, and are
        // borrowed with this value, so that none of them is run or read meanwhile.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(self.at).as_ptr(), MOST) }
    }

    /// Makes the first so many bytes of the room a piece.
    pub(super) fn take(&mut self, length: usize) -> Piece {
        assert!(length <= MOST, "a piece is longer than its room");
        let piece = Piece(self.at);
        // Pieces begin with a line of the cache.
        self.at += length.next_multiple_of(64);
        piece
    }

    /// Runs a piece.
    ///
    /// # Safety
    /// It was taken from here, all of it is a function of this kind written by the assembler, no
    /// other than the next one has been taken since, and what it reads and writes from the pointers
    /// on may be read and written.
    #[allow(unsafe_code)]
    pub(super) unsafe fn run(
        &self,
        piece: Piece,
        [kept, example, prediction]: [*const u8; 3],
        examples: usize,
    ) {
        // SAFETY: the bytes of a piece are a function of this type, as the caller promises.
        let function: Function =
            unsafe { std::mem::transmute::<*mut u8, Function>(self.start.add(piece.0).as_ptr()) };
        function(kept, example, prediction, examples);
    }
}

impl Drop for Code {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no piece outlives it.
        let result = unsafe { libc::munmap(self.start.as_ptr().cast(), LENGTH) };
        debug_assert_eq!(result, 0, "a mapping of this length was made");
    }
}
