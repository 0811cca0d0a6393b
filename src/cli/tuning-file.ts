/** Remembers which kernels are fastest on this machine's adapters, in the user's cache folder. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { TuningMemory } from '../gpu/tuning/tune'

/** In $XDG_CACHE_HOME, which counts only when it is absolute, or ~/.cache. */
export function tuningPath(cacheHome: string | undefined, home: string): string {
  const cache = cacheHome !== undefined && isAbsolute(cacheHome) ? cacheHome : join(home, '.cache')
  return join(cache, 'mxscope', 'kernels.json')
}

function entriesOf(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** One file for all adapters. Reading rejects where there is none or it is no JSON; writing then begins a new one. */
export function createTuningFile(path = tuningPath(process.env.XDG_CACHE_HOME, homedir())): TuningMemory {
  const read = async () => entriesOf(await readFile(path, 'utf8'))
  return {
    get: async (key) => (await read())[key],
    set: async (key, value) => {
      const entries = await read().catch(() => ({}))
      await mkdir(dirname(path), { recursive: true })
      // Renamed when it is whole: another process may be reading.
      const part = `${path}.${process.pid}.part`
      await writeFile(part, `${JSON.stringify({ ...entries, [key]: value }, null, 2)}\n`)
      await rename(part, path)
    },
  }
}
