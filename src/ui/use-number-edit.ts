import { useEffect, useRef, useState } from 'react'

/** How long a field that went back to the value in force says what it refused. */
export const REFUSAL_MS = 6000

/** A pause in typing after which a valid number applies. Long enough to type the next digit of a longer one. */
export const TYPING_PAUSE_MS = 600

export interface NumberRange {
  readonly min: number
  readonly max: number
  readonly integer: boolean
  /** Whether an empty field is a value, null. */
  readonly optional: boolean
}

interface NumberEditInput extends NumberRange {
  readonly value: number | null
  readonly onChange: (value: number | null) => void
}

/** What is being typed. `before` was in force when typing began, `applied` is in force by it now. */
interface Edit {
  readonly text: string | number
  readonly before: number | null
  readonly applied: number | null
}

/** The value that `text` means, or in words what was expected of it. */
export function readNumber(
  text: string | number,
  range: NumberRange,
): { readonly value: number | null } | { readonly error: string } {
  const { min, max, integer, optional } = range
  const written = String(text).trim()
  if (written === '' && optional) return { value: null }
  const value = written === '' ? Number.NaN : Number(written)
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return { value }
  const limits = [min, max].map((limit) => limit.toLocaleString('en-US')).join(' to ')
  return { error: `expected a ${integer ? 'whole number' : 'number'} from ${limits}, found ${written || 'nothing'}` }
}

/**
 * The text of a number field and what becomes of it. While a field is edited its text is the user's; a number applies
 * when it is valid and complete. As soon as the text is not valid, what a beginning of it applied is taken back. A
 * field that is left shows the value in force, and for a moment why its text was refused; editing it again or another
 * value from elsewhere ends that.
 */
export function useNumberEdit({ value, onChange, ...range }: NumberEditInput) {
  const [edit, setEdit] = useState<Edit | null>(null)
  const [refused, setRefused] = useState<{ readonly reason: string; readonly value: number | null } | null>(null)
  const pending = useRef<{ readonly timer: ReturnType<typeof setTimeout>; readonly apply: () => void } | null>(null)
  // Somebody else changed the value: what is typed is about another one.
  const current = edit?.applied === value ? edit : null
  const reading = current && readNumber(current.text, range)

  const drop = () => {
    if (pending.current) clearTimeout(pending.current.timer)
    pending.current = null
  }
  useEffect(() => {
    if (refused === null) return
    const timer = setTimeout(() => setRefused(null), REFUSAL_MS)
    return () => clearTimeout(timer)
  }, [refused])
  // A popover that closes takes its fields away without a blur.
  useEffect(() => {
    return () => {
      const last = pending.current
      if (last) clearTimeout(last.timer)
      last?.apply()
    }
  }, [])

  const type = (text: string | number) => {
    drop()
    setRefused(null)
    const before = current ? current.before : value
    const next = readNumber(text, range)
    if ('error' in next) {
      setEdit({ text, before, applied: before })
      if (before !== value) onChange(before)
      return
    }
    setEdit({ text, before, applied: value })
    const apply = () => {
      pending.current = null
      setEdit({ text, before, applied: next.value })
      if (next.value !== value) onChange(next.value)
    }
    pending.current = { timer: setTimeout(apply, TYPING_PAUSE_MS), apply }
  }

  const settle = () => {
    const last = pending.current
    drop()
    last?.apply()
    if (reading && 'error' in reading) setRefused({ reason: reading.error, value })
    setEdit(null)
  }

  const error = reading && 'error' in reading ? reading.error : null
  return {
    text: current?.text ?? value ?? '',
    /** True while the text is not a valid number; what was refused and is gone is only said. */
    invalid: error !== null,
    error: error ?? (refused?.value === value ? refused.reason : null),
    type,
    settle,
  }
}
