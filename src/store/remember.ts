/** How many answers are kept per function: callers ask about the files on screen and about those a link names. */
const KEPT = 4

/**
 * `compute`, which must be pure, with its last answers at hand: selectors ask again after every change of anything, and
 * a file may list 100,000 tensors. Arguments are the same when they are identical or lists of identical members.
 */
export function remember<A extends readonly unknown[], T>(compute: (...parameters: A) => T): (...parameters: A) => T {
  let known: readonly { readonly parameters: A; readonly value: T }[] = []
  return (...parameters) => {
    const found = known.find((each) => each.parameters.every((one, i) => isSame(one, parameters[i])))
    if (found) return found.value
    const value = compute(...parameters)
    known = [{ parameters, value }, ...known.slice(0, KEPT - 1)]
    return value
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => one === b[i])
}
