import { lazy, type ReactNode, Suspense, useState } from 'react'
import type { RequestCount } from './use-requests'

/** Their code comes when they are first opened. */
const PrivacyDialog = lazy(async () => ({ default: (await import('./PrivacyDialog')).PrivacyDialog }))
const GpuDialog = lazy(async () => ({ default: (await import('./GpuDialog')).GpuDialog }))

export interface StatusDialogs {
  readonly open: (dialog: 'gpu' | 'privacy') => void
  /** The one that is open, to be put where it is opened. */
  readonly dialog: ReactNode
}

/** What the status bar, and on a phone the layer pane, leads to. */
export function useStatusDialogs(requests: RequestCount): StatusDialogs {
  const [shown, setShown] = useState<'gpu' | 'privacy' | null>(null)
  const close = () => setShown(null)
  const dialog = (
    <Suspense fallback={null}>
      {shown === 'gpu' && <GpuDialog onClose={close} />}
      {shown === 'privacy' && <PrivacyDialog requests={requests} onClose={close} />}
    </Suspense>
  )
  return { open: setShown, dialog }
}
