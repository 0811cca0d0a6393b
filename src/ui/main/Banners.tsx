import { Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { type Banner, banners } from '../../store/banners'
import { gpuAdvice, HEADLESS_COMMAND } from '../../store/gpu-advice'
import { bugReport } from '../../store/report'
import { useActions, useApp } from '../use-app'
import styles from './Banners.module.css'

/** What stands in the way of a result, and the way out of it. */
export function Banners() {
  const shown = useApp(banners)
  return (
    <>
      {shown.map((banner) => (
        <section
          key={banner.code + banner.action}
          className={styles.banner}
          role="alert"
          data-test={`banner-${banner.code}`}
        >
          <h2>{banner.title}</h2>
          <p>
            <strong>{banner.code}</strong> {banner.message}
          </p>
          <Exit banner={banner} />
        </section>
      ))}
    </>
  )
}

function Exit({ banner }: { readonly banner: Banner }) {
  const { accept, openDevice, dismissRecovery } = useActions()
  const { action } = banner
  if (typeof action === 'object') {
    return (
      <Button size="compact-sm" onClick={() => accept(action)}>
        Use {action.tokens} tokens
      </Button>
    )
  }
  switch (action) {
    case 'advice':
      return <Advice />
    case 'start-again':
      return (
        <Button size="compact-sm" data-test="start-again" onClick={() => void openDevice()}>
          Start again
        </Button>
      )
    case 'report':
      return <CopyReport banner={banner} />
    case 'none':
      return (
        <Button size="compact-sm" variant="default" onClick={dismissRecovery}>
          Dismiss
        </Button>
      )
  }
}

/** The steps for this browser, and the same comparison without one. */
function Advice() {
  const { openDevice } = useActions()
  const { seen, steps } = gpuAdvice(navigator.userAgent)
  return (
    <>
      <p>On {seen}:</p>
      <ul>
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      <p>
        Files can still be opened and their tensors listed. Without a browser: <code>{HEADLESS_COMMAND}</code>
      </p>
      <Button size="compact-sm" data-test="retry-device" onClick={() => void openDevice()}>
        Try again
      </Button>
    </>
  )
}

function CopyReport({ banner }: { readonly banner: Banner }) {
  const report = useApp((state) => bugReport(state, banner, navigator.userAgent))
  const { copy, copied } = useClipboard()
  const { run } = useActions()
  return (
    <p className={styles.buttons}>
      <Button size="compact-sm" variant="default" onClick={() => copy(report)}>
        {copied ? 'Copied' : 'Copy report'}
      </Button>
      <Button size="compact-sm" onClick={run}>
        Run again
      </Button>
    </p>
  )
}
