//! Bounds of limbs and columns, computed by the code itself instead of told: the functions in `bounded!` have a twin of the
//! same text in tests, which computes with intervals. An interval that leaves its type fails the test.

/// Functions of straight lines and counted loops, with their twins in the module `bounds`. What they use besides what is in
/// `twins` is named first.
macro_rules! bounded {
    (
        @ [$($path:path),*]
        $(
            $(#[$attribute:meta])*
            $visibility:vis const fn $name:ident $(<const $size:ident: usize>)?
            ($($argument:ident: $type:ty),* $(,)?) -> $result:ty $body:block
        )*
    ) => {
        $(
            $(#[$attribute])*
            $visibility const fn $name $(<const $size: usize>)? ($($argument: $type),*) -> $result $body
        )*

        #[cfg(test)]
        pub(crate) mod bounds {
            #[allow(clippy::allow_attributes, unused_imports, reason = "each file needs its own few")]
            use $crate::twins::*;
            $(pub(crate) use $path;)*
            $(
                pub(crate) fn $name $(<const $size: usize>)? ($($argument: $type),*) -> $result $body
            )*
        }
    };
    (twins: $($path:path),+; $($functions:tt)*) => {
        $crate::bounds::bounded! { @ [$($path),+] $($functions)* }
    };
    ($($functions:tt)*) => {
        $crate::bounds::bounded! { @ [] $($functions)* }
    };
}
pub(crate) use bounded;
