import { Button, TextInput } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { fragmentOf } from '../../store/link-actions'
import { useApp } from '../use-app'
import styles from './export.module.css'

/** The address that restores the run. */
export function LinkGroup() {
  const fragment = useApp((state, vocabulary) => fragmentOf(state, vocabulary))
  const own = useApp((state) => state.source.active === 'user')
  const { copy, copied, error } = useClipboard({ timeout: 2000 })
  const address = `${location.href.replace(/#.*$/, '')}${fragment === '' ? '' : `#${fragment}`}`
  const needs = own
    ? 'Opened elsewhere, it asks for your file by name, size and header hash, and computes again.'
    : 'Opened elsewhere, it computes the same again.'
  return (
    <div className={styles.line}>
      <div className={styles.about}>
        <p>Every setting, the tensors and the file by name and hash. {needs}</p>
        <p className={styles.without}>Not in it: values, results, the file.</p>
        <TextInput
          size="xs"
          readOnly
          aria-label="Link"
          data-test="export-link"
          value={address}
          onFocus={(event) => event.currentTarget.select()}
        />
      </div>
      <Button size="xs" variant="default" className={styles.save} aria-live="polite" onClick={() => copy(address)}>
        {error ? 'Not copied' : copied ? 'Copied' : 'Copy link'}
      </Button>
    </div>
  )
}
