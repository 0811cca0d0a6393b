import { Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { lazy, Suspense, useState } from 'react'
import { gpuDetails } from '../../store/gpu-details'
import { useApp } from '../use-app'
import { Facts, InfoDialog } from './InfoDialog'
import styles from './InfoDialog.module.css'

/** Its code comes when it is first opened. */
const BenchDialog = lazy(async () => ({ default: (await import('../bench/BenchDialog')).BenchDialog }))

/** What computes here, and in which version of what. */
export function GpuDialog({ onClose }: { readonly onClose: () => void }) {
  const details = useApp((state) => gpuDetails(state, navigator.userAgent))
  const { copy, copied } = useClipboard()
  const [isBenchOpen, setBenchOpen] = useState(false)
  return (
    <InfoDialog title="GPU details" hook="gpu" onClose={onClose}>
      <Facts facts={details} />
      <div className={styles.buttons}>
        <Button
          size="xs"
          variant="default"
          onClick={() => copy(details.map(([name, value]) => `${name}: ${value}`).join('\n'))}
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <Button size="xs" variant="default" data-test="bench-open" onClick={() => setBenchOpen(true)}>
          Benchmark this GPU
        </Button>
      </div>
      {isBenchOpen && (
        <Suspense fallback={null}>
          <BenchDialog onClose={() => setBenchOpen(false)} />
        </Suspense>
      )}
    </InfoDialog>
  )
}
