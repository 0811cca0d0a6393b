/** What is left of `entries` when these keys are taken out. */
export function without<T>(entries: Readonly<Record<string, T>>, keys: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.includes(key)))
}
