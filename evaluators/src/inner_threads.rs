//! Keeping candle on the calling thread.
//!
//! Invariant: after [`pin_inner_threads`] no candle operation starts or waits for another thread.
//! Evaluations are run in parallel instead: candle's own threads gain at most a few per cent on
//! networks this small, and cost several times that when evaluations run side by side, because its
//! elementwise pool is one mutex for the whole process.

/// Makes candle, and rayon's global pool, use one thread.
///
/// Call it first thing in `main`, before any other thread exists and before candle or rayon is
/// used: both read the environment once. Thread pools of one's own need an explicit size after it
/// (`rayon::ThreadPoolBuilder::num_threads`). Results do not depend on it, only speed does.
///
/// The layers of this crate never use more than the calling thread; this is about the few
/// operations candle runs itself, such as adding gradients of more than 65,536 numbers.
#[allow(unsafe_code)]
pub fn pin_inner_threads() {
    for variable in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        // SAFETY: setting the environment is unsound only while another thread reads it; the
        // contract above puts the call before any other thread is started.
        unsafe { std::env::set_var(variable, "1") };
    }
}
