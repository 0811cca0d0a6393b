/** The page's side of the engine worker. With worker.ts the only file that knows comlink. */
import * as Comlink from 'comlink'
import type { EngineApi } from './protocol'
import workerUrl from './worker?worker&url'

/**
 * Starts the engine worker. A worker loaded from an address does not inherit the Content-Security-Policy written in
 * the page; one started from a blob that only imports that address does, so this line keeps the privacy promise.
 */
function startWorker(): Worker {
  const address = new URL(workerUrl, document.baseURI).href
  const bootstrap = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)}`], { type: 'text/javascript' }))
  return new Worker(bootstrap, { type: 'module', name: 'engine' })
}

/**
 * An engine in a worker of its own. One run at a time: starting one cancels the one before, whose late events are
 * dropped here. Cancelled runs end with `{kind: 'cancelled'}`; nothing is thrown.
 */
export function createEngineClient(): EngineApi {
  const remote = Comlink.wrap<EngineApi>(startWorker())
  let currentRun: string | null = null
  /** `onEvent` for as long as `runId` is the run that goes on. */
  const whileCurrent = <T>(runId: string, onEvent: (event: T) => void) => {
    currentRun = runId
    return Comlink.proxy((event: T) => {
      if (currentRun === runId) onEvent(event)
    })
  }
  return {
    openDevice: () => remote.openDevice(),
    openFile: (file) => remote.openFile(file),
    closeFile: (fileId) => remote.closeFile(fileId),
    run: (runId, choice, request, onEvent) => remote.run(runId, choice, request, whileCurrent(runId, onEvent)),
    runSweep: (runId, choice, request, onEvent) =>
      remote.runSweep(runId, choice, request, whileCurrent(runId, onEvent)),
    cancel: (runId) => {
      if (currentRun === runId) currentRun = null
      return remote.cancel(runId)
    },
    mapBlocks: (choice, query) => remote.mapBlocks(choice, query),
    readRow: (choice, query) => remote.readRow(choice, query),
    onDeviceLost: (callback) => remote.onDeviceLost(Comlink.proxy(callback)),
    loseDevice: () => remote.loseDevice(),
  }
}
