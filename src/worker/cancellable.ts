import { isAbort, reportError } from '../core/errors'
import type { Answer } from './protocol'

/** The answer to what was ended by its cancel. */
const CANCELLED = { kind: 'input', code: 'CANCELLED', message: 'Cancelled.' } as const

/** Work that answers, and can be cancelled by the id it was started under. */
export function createCancellable() {
  const going = new Map<string, AbortController>()
  return {
    start: async <T>(id: string, work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> => {
      const controller = new AbortController()
      going.set(id, controller)
      try {
        const value = await work(controller.signal)
        controller.signal.throwIfAborted()
        return { ok: true, value }
      } catch (error) {
        return { ok: false, error: isAbort(error) ? CANCELLED : reportError(error) }
      } finally {
        if (going.get(id) === controller) going.delete(id)
      }
    },
    cancel: (id: string) => going.get(id)?.abort(),
  }
}
