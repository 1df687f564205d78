//! Words that no name of an exported file may be.
//!
//! Invariant: one list for all languages, so that a program has the same names in all of its
//! exports. It holds every keyword and builtin rather than those that exports use today: a builtin
//! that is shadowed breaks nothing until somebody calls it.

/// Every word.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    [PYTHON_KEYWORDS, PYTHON_BUILTINS, PYTHON_EXCEPTIONS, RUST_KEYWORDS, RUST_NAMES, OWN]
        .into_iter()
        .flat_map(str::split_whitespace)
}

/// Whether a word is among them.
pub(super) fn holds(word: &str) -> bool {
    words().any(|other| other == word)
}

const PYTHON_KEYWORDS: &str = "\
    False None True and as assert async await break class continue def del elif else except \
    finally for from global if import in is lambda nonlocal not or pass raise return try while \
    with yield match case type";

const PYTHON_BUILTINS: &str = "\
    abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod \
    compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter \
    float format frozenset getattr globals hasattr hash help hex id input int isinstance \
    issubclass iter len license list locals map max memoryview min next object oct open ord pow \
    print property quit range repr reversed round self set setattr slice sorted staticmethod str \
    sum super tuple vars zip Ellipsis NotImplemented Any NamedTuple Optimizer";

const PYTHON_EXCEPTIONS: &str = "\
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup \
    BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError \
    ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError \
    DeprecationWarning EOFError EncodingWarning EnvironmentError Exception ExceptionGroup \
    FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError \
    ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError \
    KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError \
    NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning \
    PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError \
    ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError \
    SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError \
    UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning \
    UserWarning ValueError Warning ZeroDivisionError";

const RUST_KEYWORDS: &str = "\
    abstract as async await become box break const continue crate do dyn else enum extern false \
    final fn for gen if impl in let loop macro match mod move mut override priv pub ref return \
    self Self static struct super trait true try type typeof union unsafe unsized use virtual \
    where while yield";

/// Types, and what Rust's prelude brings along.
const RUST_NAMES: &str = "\
    f32 f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize bool char str std core alloc ops \
    drop vec Vec Box Option Some None Result Ok Err String ToString ToOwned Default Clone Copy \
    Debug PartialEq Eq PartialOrd Ord Hash Send Sync Sized Drop Fn FnMut FnOnce AsRef AsMut Into \
    From TryFrom TryInto FromIterator Iterator IntoIterator Extend DoubleEndedIterator \
    ExactSizeIterator";

/// What exported files use for themselves.
const OWN: &str = "\
    torch math jax jnp np numpy optax scalar tree leaf leaves lr t step count update updates \
    param params parameter parameters group groups state states grad grads gradient gradients \
    weight weights closure foreach learning_rate loss defaults init apply rows columns row \
    column dtype shape out cls main test dot exp log sqrt sign power clip norm interp where \
    tensors role roles path paths relative_lr LR_UNIT structure results settings places maximize evaluating \
    betas state_dtype given like dtypes place both arrays";
