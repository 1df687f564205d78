//! Loops compiled more than once, each time for a wider vector unit.
//!
//! Invariant: a loop gives the same bits whichever of its versions runs. It holds because the
//! versions differ in the width of registers alone: the operations of a number, and their order,
//! are those of the source, and the compiler neither fuses nor reorders floating-point operations
//! that it was not told to. Compiling everything for one CPU would give that speed to whoever
//! builds, and a crash to whoever is handed the binary.

/// Defines functions that run their body compiled for the widest vector unit the CPU has.
///
/// `fn name<T>(…) = body;` makes `name`, for every `T: Real`, of the function `body`, which takes
/// the same arguments and must be `#[inline(always)]`: what is not inlined stays narrow.
macro_rules! vectorised {
    ($($(#[$doc:meta])* $vis:vis fn $name:ident<T>($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:ident;)*) => {
        $($(#[$doc])*
        $vis fn $name<T: $crate::layers::Real>($($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                if $crate::layers::vector_unit::has_avx512() {
                    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                    fn with_avx512<T: $crate::layers::Real>($($arg: $type),*) $(-> $result)? {
                        $body($($arg),*)
                    }
                    #[allow(unsafe_code)]
                    // SAFETY: the CPU was just found to have all the features the callee needs.
                    return unsafe { with_avx512($($arg),*) };
                }
                if $crate::layers::vector_unit::has_avx2() {
                    #[target_feature(enable = "avx2,fma")]
                    fn with_avx2<T: $crate::layers::Real>($($arg: $type),*) $(-> $result)? {
                        $body($($arg),*)
                    }
                    #[allow(unsafe_code)]
                    // SAFETY: as above.
                    return unsafe { with_avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        })*
    };
}

pub(super) use vectorised;

/// Whether the CPU has the vectors of 512 bits that products and loops are compiled for.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx512() -> bool {
    has_avx2()
        && std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512bw")
}

/// Whether the CPU has vectors of 256 bits and fused multiply-add.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}
