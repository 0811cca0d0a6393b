import type { ErrorReport } from '../core/errors'
import type { StoreContext } from './context'
import { IDLE } from './run-actions'

/** A second loss within this time is not answered by opening the device again unasked. */
const REPEATED_LOSS_MS = 60_000

export interface DeviceActions {
  /** Opens the GPU device, or opens it again after a loss or a refusal, and computes what is missing. */
  openDevice(): Promise<void>
  dismissRecovery(): void
  /** Loses the device on purpose: the hook of the recovery test. */
  loseDevice(): Promise<void>
}

export function createDeviceActions({ engine, environment, get, patch, schedule }: StoreContext): DeviceActions {
  let lastLoss = Number.NEGATIVE_INFINITY

  const openDevice = async () => {
    if (get().device.status !== 'lost') patch('device', { status: 'starting', error: null })
    const answer = await engine.openDevice()
    if (!answer.ok) {
      patch('device', { status: 'unavailable', adapter: null, error: answer.error })
      return
    }
    patch('device', { status: 'ready', adapter: answer.value, error: null })
    schedule()
  }

  const onLost = (error: ErrorReport) => {
    const now = environment.now()
    const repeated = now - lastLoss < REPEATED_LOSS_MS
    lastLoss = now
    patch('device', { status: 'lost', error, recovered: false })
    // Its run is over, whenever the engine gets to say so: what it computed stays, and the method it was at is run again.
    if (get().run.runId !== null) patch('run', { ...IDLE, end: { kind: 'failed', error } })
    // "destroyed" means somebody asked for it; only an unexplained loss is worth one attempt of our own.
    if (repeated || !error.message.includes('"unknown"')) return
    void openDevice().then(() => patch('device', { recovered: get().device.status === 'ready' }))
  }
  void engine.onDeviceLost(onLost)

  return {
    openDevice,
    dismissRecovery: () => patch('device', { recovered: false }),
    loseDevice: () => engine.loseDevice(),
  }
}
