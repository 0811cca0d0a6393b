/** The page without a network: whether there is one, whether a newer version waits, and what is kept on the device. */
import type { StoreContext } from './context'

export interface OfflineSlice {
  /** False while the browser says that there is no network. */
  readonly online: boolean
  /** A newer version is on the device and starts with the next loading. */
  readonly updateWaits: boolean
  /** How "Forget everything" went; null while it was not asked for. */
  readonly forgotten: 'done' | 'partly' | null
}

export const DEFAULT_OFFLINE: OfflineSlice = { online: true, updateWaits: false, forgotten: null }

/** What the browser does for the page beside showing it. */
export interface OfflineShell {
  /** Calls back with what changes, the state now included. */
  watch(report: (change: Partial<OfflineSlice>) => void): void
  /** Starts the version that waits, which loads the page again. */
  startUpdate(): void
  /** Clears everything this page keeps on the device; rejects where some of it stayed. */
  forget(): Promise<void>
}

export interface OfflineActions {
  /** Loads the page again in the version that waits. Settings are in the address and stay. */
  startUpdate(): void
  /** Clears files of earlier visits, run history, settings and the page itself from this device. */
  forgetEverything(): Promise<void>
}

export function createOfflineActions(
  { environment, patch }: StoreContext,
  { forgetHistory }: { readonly forgetHistory: () => Promise<void> },
): OfflineActions {
  const { offline } = environment
  offline?.watch((change) => patch('offline', change))
  return {
    startUpdate: () => offline?.startUpdate(),
    forgetEverything: async () => {
      const cleared = await Promise.allSettled([offline?.forget(), environment.keptFiles?.keep([]), forgetHistory()])
      patch('source', { kept: [] })
      const all = cleared.every(({ status }) => status === 'fulfilled')
      patch('offline', { forgotten: all ? 'done' : 'partly' })
    },
  }
}
