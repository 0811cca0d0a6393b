/** Files of other servers: one by its address, or those of a repository of the Hub. */
import type { ErrorReport } from '../core/errors'
import { fileUrl, parseRepository } from '../io/hub'
import type { Answer, ReadingProgress } from '../worker/protocol'
import type { StoreContext } from './context'
import { fileNameOf } from './file-name'
import { takeIn } from './open-actions'
import type { OpenFile, RemoteState } from './state'

export interface RemoteActions {
  /**
   * Opens the file at an address, or lists what a Hub repository has: "org/name", "org/name@revision", an address of
   * huggingface.co. `token` is kept nowhere.
   */
  openAddress(text: string, token?: string): Promise<void>
  /** Opens files of the repository that is listed, or those a link names. */
  openUrls(urls: readonly string[], token?: string): Promise<void>
  closeRepository(): void
  cancelOpening(): void
}

export function createRemoteActions(context: StoreContext): RemoteActions {
  const { engine, get, patch } = context
  let openings = 0
  let isWatching = false
  const set = (change: Partial<RemoteState>) => patch('source', { remote: { ...get().source.remote, ...change } })
  const isCurrent = (id: string) => get().source.remote.opening?.id === id

  /** Does `work` as the one opening there is; null when it failed, which is said, or was cancelled. */
  const opening = async <T>(what: string, work: (id: string) => Promise<Answer<T>>): Promise<T | null> => {
    if (!isWatching) {
      isWatching = true
      void engine.onReading((fetching) => patch('source', { fetching }))
    }
    cancel()
    openings += 1
    const id = `opening-${openings}`
    set({ opening: { id, what, progress: null }, error: null })
    const answer = await work(id)
    if (!isCurrent(id)) return null
    set({ opening: null, error: answer.ok ? null : errorOf(answer.error) })
    return answer.ok ? answer.value : null
  }

  const cancel = () => {
    const { opening: going } = get().source.remote
    if (going === null) return
    set({ opening: null })
    void engine.cancelOpening(going.id)
  }

  const openUrls = async (urls: readonly string[], token?: string) => {
    const files: OpenFile[] = []
    for (const url of urls) {
      const open = get().source.files.find((file) => file.url === url)
      const what = `${fileNameOf(url)}${urls.length > 1 ? `, ${files.length + 1} of ${urls.length}` : ''}`
      const listing =
        open ??
        (await opening(what, (id) => {
          const onProgress = (progress: ReadingProgress) => {
            if (isCurrent(id)) set({ opening: { id, what, progress } })
          }
          return engine.openUrl(id, url, onProgress, token)
        }))
      // A file that fails or is cancelled ends the rest; those that are there are used.
      if (listing === null) break
      files.push(open ?? { ...listing, builtIn: null, headerHash: '', parts: [] })
    }
    await takeIn(context, files)
  }

  return {
    openAddress: async (text, token) => {
      const named = parseRepository(text)
      const isAddress = named === null && text.includes('://')
      if (named !== null && named.path !== null) return openUrls([fileUrl(named, named.path)], token)
      if (isAddress) return openUrls([text.trim()], token)
      const repository = await opening(text.trim(), (id) => engine.listRepository(id, text, token))
      if (repository) set({ repository })
    },
    openUrls: (urls, token) => {
      set({ repository: null })
      return openUrls(urls, token)
    },
    closeRepository: () => set({ repository: null }),
    cancelOpening: cancel,
  }
}

/** Cancelling is no error. */
const errorOf = (error: ErrorReport) => (error.code === 'CANCELLED' ? null : error)
