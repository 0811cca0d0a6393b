import { CloseButton } from '@mantine/core'
import { visibleFiles } from '../../store/selection'
import { byteText } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import styles from './LayerSection.module.css'

/** The user's open files, each with its size and a way to close it. */
export function OpenFiles() {
  const files = useApp((state) => (state.source.active === 'user' ? visibleFiles(state.source) : []))
  const { closeFile } = useActions()
  if (files.length === 0) return null
  return (
    <ul className={styles.files} aria-label="Open files">
      {files.map((file) => (
        <li key={file.id}>
          <span className={styles.name} title={file.name}>
            {file.name}
          </span>
          <span className={styles.amount}>
            {file.tensors.length} tensors, {byteText(file.byteLength)}
          </span>
          <CloseButton size="xs" aria-label={`Close ${file.name}`} onClick={() => closeFile(file.id)} />
        </li>
      ))}
    </ul>
  )
}
