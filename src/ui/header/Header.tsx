import { ActionIcon, Tooltip } from '@mantine/core'
import { adapterName, deviceKind, layerTitle } from '../../store/selectors'
import { shapeText } from '../../store/tensor-rows'
import { ExportButton } from '../export/ExportButton'
import { Menu } from '../icons'
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
      <ExportButton />
      <ThemeToggle />
    </header>
  )
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
