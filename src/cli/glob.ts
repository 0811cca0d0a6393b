/** Patterns of tensor names: * stands for any characters, ? for one, {a,b} for either. Nothing else is special. */
import { UsageError } from './command'

/** Patterns one pattern with braces may stand for. */
const MAX_ALTERNATIVES = 256

/** True where `text` is a pattern and no plain name. */
export function isPattern(text: string): boolean {
  return /[*?]|\{[^{}]*,[^{}]*\}/.test(text)
}

/** What the braces of `pattern` stand for. Throws UsageError for more than 256 patterns. */
function alternatives(pattern: string): readonly string[] {
  let open: readonly string[] = [pattern]
  const done: string[] = []
  while (open.length > 0) {
    const next: string[] = []
    for (const text of open) {
      const found = /^([^{}]*)\{([^{}]*)\}([\s\S]*)$/.exec(text)
      if (!found) done.push(text)
      else for (const choice of found[2].split(',')) next.push(`${found[1]}${choice}${found[3]}`)
    }
    if (next.length + done.length > MAX_ALTERNATIVES) {
      throw new UsageError(`pattern "${pattern}": expected at most ${MAX_ALTERNATIVES} alternatives`)
    }
    open = next
  }
  return done
}

/** Whether all of `name` matches `pattern`, without braces. Work is at most the product of the two lengths. */
function matches(pattern: string, name: string): boolean {
  let [p, n] = [0, 0]
  // Where the last * was, and how much of the name it has taken.
  let [star, taken] = [-1, 0]
  while (n < name.length) {
    if (pattern[p] === '*') {
      ;[star, taken] = [p, n]
      p++
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star >= 0) {
      taken++
      ;[p, n] = [star + 1, taken]
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** A test for names that match `pattern` as a whole. Throws UsageError for too many alternatives. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const patterns = alternatives(pattern)
  return (name) => patterns.some((each) => matches(each, name))
}
