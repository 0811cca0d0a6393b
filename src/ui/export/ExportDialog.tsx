import { CloseButton } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import { useActions } from '../use-app'
import { DataGroup } from './DataGroup'
import styles from './export.module.css'
import { FiguresGroup } from './FiguresGroup'
import { LayerGroup } from './LayerGroup'
import { LinkGroup } from './LinkGroup'
import { RecipeGroup } from './RecipeGroup'
import { ReportGroup } from './ReportGroup'
import { useMethodChoice } from './use-method-choice'

/** Everything the page gives away. Each line says what its file holds, how large it is, and what it does not hold. */
export function ExportDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const { dropExport } = useActions()
  const choice = useMethodChoice()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  // A file on hand is as large as the layer.
  useEffect(() => dropExport, [dropExport])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      data-test="export-dialog"
      aria-labelledby="export-title"
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className={styles.head}>
        <h2 id="export-title">Export</h2>
        <CloseButton aria-label="Close" data-test="export-close" onClick={() => dialog.current?.close()} />
      </div>
      <div className={styles.groups}>
        <Group title="Layer">
          <LayerGroup choice={choice} />
        </Group>
        <Group title="Recipe">
          <RecipeGroup choice={choice} />
        </Group>
        <Group title="Data">
          <DataGroup />
        </Group>
        <Group title="Figures">
          <FiguresGroup />
        </Group>
        <Group title="Report">
          <ReportGroup />
        </Group>
        <Group title="Link">
          <LinkGroup />
        </Group>
      </div>
    </dialog>
  )
}

function Group({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className={styles.group} aria-label={title} data-test={`export-group-${title.toLowerCase()}`}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}
