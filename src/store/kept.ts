/** The newest `limit` entries, `key` among them. */
export function kept<T>(entries: Readonly<Record<string, T>>, key: string, value: T, limit: number): Record<string, T> {
  const others = Object.entries(entries).filter(([other]) => other !== key)
  return Object.fromEntries([...others.slice(1 - limit), [key, value]])
}
