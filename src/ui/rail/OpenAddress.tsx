import { Button, CloseButton, TextInput } from '@mantine/core'
import { useState } from 'react'
import { offeredFiles } from '../../store/repository-files'
import { byteText } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import styles from './LayerSection.module.css'
import { Transfer } from './Transfer'

/** Refusals that a token may end. */
const NEEDS_TOKEN = ['HT-05', 'HB-02']

/** Files of other servers: by their address, or chosen from a repository of the Hub. Only what is needed is read. */
export function OpenAddress() {
  const [text, setText] = useState('')
  const [token, setToken] = useState('')
  const { opening, error } = useApp((state) => state.source.remote)
  const { openAddress, cancelOpening } = useActions()
  const [asked, setAsked] = useState(false)
  const needsToken = asked || (error !== null && NEEDS_TOKEN.includes(error.code))
  const secret = token.trim() === '' ? undefined : token.trim()
  return (
    <>
      <form
        className={styles.address}
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim() !== '') void openAddress(text, secret)
        }}
      >
        <TextInput
          size="xs"
          className={styles.addressField}
          aria-label="Address of a file, or repository of the Hub"
          placeholder="https://… or org/model on the Hub"
          data-test="address"
          spellCheck={false}
          autoCapitalize="off"
          value={text}
          error={error !== null}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <Button size="xs" variant="default" type="submit" data-test="open-address" disabled={text.trim() === ''}>
          Fetch
        </Button>
      </form>
      {needsToken && (
        <TextInput
          type="password"
          size="xs"
          label="Access token"
          description="Sent to this server with each request, kept nowhere."
          value={token}
          data-test="token"
          autoComplete="off"
          onChange={({ currentTarget }) => {
            setAsked(true)
            setToken(currentTarget.value)
          }}
        />
      )}
      {opening && <Transfer hook="opening" what={opening.what} progress={opening.progress} onCancel={cancelOpening} />}
      {error && (
        <p className={styles.problem} role="alert" data-test={`banner-${error.code}`}>
          <strong>{error.code}</strong> {error.message}
        </p>
      )}
      <Repository token={secret} />
    </>
  )
}

/** What a repository has to open: all of it, or one file. */
function Repository({ token }: { readonly token: string | undefined }) {
  const repository = useApp((state) => state.source.remote.repository)
  const { openUrls, closeRepository } = useActions()
  if (repository === null) return null
  const { together, weights, byteLength } = offeredFiles(repository)
  const count = `${weights.length} ${weights.length === 1 ? 'file' : 'files'}`
  return (
    <section className={styles.repository} aria-label={`Files of ${repository.id}`} data-test="repository">
      <div className={styles.repositoryHead}>
        <strong className={styles.name} title={`${repository.id}@${repository.revision}`}>
          {repository.id}
        </strong>
        <CloseButton size="xs" aria-label={`Close the list of ${repository.id}`} onClick={closeRepository} />
      </div>
      {weights.length > 0 && (
        <Button
          size="xs"
          variant="default"
          data-test="open-repository"
          onClick={() =>
            void openUrls(
              together.map(({ url }) => url),
              token,
            )
          }
        >
          Open {count}, {byteText(byteLength)}; headers are read now
        </Button>
      )}
      <ul className={styles.files}>
        {repository.files
          .filter(({ kind }) => kind === 'safetensors' || kind === 'npy')
          .map((file) => (
            <li key={file.path}>
              <button
                type="button"
                className={styles.fileButton}
                title={`Open ${file.path} alone`}
                onClick={() => void openUrls([file.url], token)}
              >
                {file.path}
              </button>
              <span className={styles.amount}>{byteText(file.byteLength)}</span>
            </li>
          ))}
      </ul>
    </section>
  )
}
