// What a processing step answers: bad input is a value, a broken world is an exception (KubetapeError, marked retryable or not).

export type StepResult<T> = { readonly ok: T } | { readonly drop: string } | { readonly reject: string; readonly cause?: unknown }
