import { ActionIcon, Tooltip } from '@mantine/core'
import { flushSync } from 'react-dom'
import { adapterName, deviceKind, layerTitle } from '../../store/selectors'
import { shapeText } from '../../store/tensor-rows'
import { ExportButton } from '../export/ExportButton'
import { HelpMenu } from '../help/HelpMenu'
import { RunsButton } from '../history/RunsButton'
import { UndoNote } from '../history/UndoNote'
import { Menu } from '../icons'
import { FIGURES, VIEW_BAR } from '../main/figures-place'
import { useActions, useApp } from '../use-app'
import { CopyLink } from './CopyLink'
import styles from './Header.module.css'
import { ThemeToggle } from './ThemeToggle'

/** Product, layer, adapter, link and theme. */
export function Header() {
  const railOpen = useApp((state) => state.view.railOpen)
  const { setRailOpen } = useActions()
  return (
    <header className={styles.header}>
      <SkipLinks />
      <ActionIcon
        className={styles.menu}
        variant="default"
        aria-label="Setup"
        aria-expanded={railOpen}
        aria-controls="setup-rail"
        onClick={() => setRailOpen(!railOpen)}
      >
        <Menu />
      </ActionIcon>
      <h1 className={styles.product}>MXScope</h1>
      <LayerTitle />
      <Adapter />
      <CopyLink />
      <RunsButton />
      <ExportButton />
      <ThemeToggle />
      <HelpMenu />
      <UndoNote />
    </header>
  )
}

/** The first stops of the Tab key. No links: the address says what is shown. */
function SkipLinks() {
  const { setPane } = useActions()
  const skip = (focus: () => void) => {
    flushSync(() => setPane('figures'))
    focus()
  }
  return (
    <>
      <button
        type="button"
        className={styles.skip}
        data-test="skip"
        onClick={() => skip(() => document.getElementById(FIGURES)?.focus())}
      >
        Skip to the figures
      </button>
      <button type="button" className={styles.skip} data-test="skip-views" onClick={() => skip(focusViews)}>
        Skip to the views
      </button>
    </>
  )
}

/** The tab of the view that is shown; on a phone, which has no tabs, the menu. */
function focusViews(): void {
  const bar = document.getElementById(VIEW_BAR)
  const tab = bar?.querySelector<HTMLElement>('[aria-current]')
  tab?.focus()
  if (document.activeElement !== tab) bar?.querySelector('select')?.focus()
}

function LayerTitle() {
  const title = useApp(layerTitle)
  const text = title ? `${title.file} › ${title.weight}` : 'No layer open'
  return (
    <p className={styles.layer} data-test="layer-title" title={text}>
      <span className={styles.name}>{text}</span>
      {title && (
        <span className={styles.shape}>
          [{shapeText(title.shape)}] {title.dtype}
        </span>
      )}
    </p>
  )
}

function Adapter() {
  const name = useApp(adapterName)
  const kind = useApp(deviceKind)
  if (kind === undefined) return <span className={styles.adapter}>Starting WebGPU</span>
  if (kind === 'none') return <span className={styles.badge}>no WebGPU</span>
  return (
    <>
      <span className={styles.adapter} title={name ?? undefined}>
        {name} · WebGPU
      </span>
      {kind === 'software' && (
        <Tooltip label="This adapter computes on the CPU: the same bits, slower. The status bar says what to do about it.">
          <span className={styles.badge}>software GPU</span>
        </Tooltip>
      )}
    </>
  )
}
